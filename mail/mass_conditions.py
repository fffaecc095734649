"""Conditions on accounts as a clerk writes them: COLUMN=VALUE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa

from database.tables import account
from domain.accounts import AccountStatus
from domain.failures import Misuse

TEXTS = ("city", "state", "zip", "service_address", "cosigner_id")
FLAGS = ("ebill", "send_paper", "direct_pay")
_YES, _NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")


def to_conditions(written: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """
    Turn conditions into SQL: several of one column mean any of them, several columns all of them.

    Texts are compared without regard to case, and a star at the end stands for whatever follows.
    Raises Misuse.
    """
    by_column: defaultdict[str, list[sa.ColumnElement[bool]]] = defaultdict(list)
    for condition in written:
        name, separator, value = condition.partition("=")
        name, value = name.strip(), value.strip()
        if not separator or name not in (*TEXTS, *FLAGS, "status"):
            known = ", ".join((*TEXTS, *FLAGS, "status"))
            raise Misuse(f"--where {condition}: write COLUMN=VALUE with one of {known}.")
        by_column[name].append(_condition(name, value))
    return [sa.or_(*conditions) for conditions in by_column.values()]


def _condition(name: str, value: str) -> sa.ColumnElement[bool]:
    column = account.c[name]
    if name in FLAGS:
        if value.lower() not in (*_YES, *_NO):
            raise Misuse(f"--where {name}={value}: write {name}=true or {name}=false.")
        return column.is_(value.lower() in _YES)
    if name == "status":
        if value.lower() not in (AccountStatus.ACTIVE, AccountStatus.FINAL):
            raise Misuse(f"--where status={value}: write active or final.")
        return column == AccountStatus(value.lower())
    folded = sa.func.lower(column)
    if value.endswith("*"):
        return folded.startswith(value[:-1].lower(), autoescape=True)
    return folded == value.lower()
