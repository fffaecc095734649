"""Rows of a list as people and programs read them, narrowed by what its columns show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import check_finding, period_close
from database.types import Cents
from domain.accounts import account_key
from domain.dates import parse_date
from domain.failures import Misuse
from domain.money import Money

NOT_BEFORE_THE_CLOSE = ("bills",)


def closed_periods() -> sa.Select[Any]:
    """Select the periods that are closed: bills of others are nobody's to look at (rule 2)."""
    return sa.select(period_close.c.period)


def column_names(shown: sa.Subquery) -> list[str]:
    """Return the columns that people see; those that begin with _ only sort."""
    return [column.name for column in shown.c if not column.name.startswith("_")]


def equals(shown: sa.Subquery, name: str, value: str) -> sa.ColumnElement[bool]:
    """
    Compare as people mean it: accounts without dashes, money and dates by value (rule 76).

    Raises Misuse for a value that a column of its type cannot have.
    """
    column = shown.c[name]
    if name == "account" and "_account_key" in shown.c:
        return shown.c._account_key == account_key(value)
    typed = _typed(column, name, value)
    if typed is not None:
        return typed
    return sa.func.lower(sa.cast(column, sa.String)) == value.lower()


def contains(shown: sa.Subquery, name: str, value: str) -> sa.ColumnElement[bool]:
    """Compare as a person who looks for something means it: text by a part of it (rule 76)."""
    column = shown.c[name]
    if name == "account" and "_account_key" in shown.c:
        return shown.c._account_key.contains(account_key(value), autoescape=True)
    typed = _typed(column, name, value)
    if typed is not None:
        return typed
    return sa.func.lower(sa.cast(column, sa.String)).contains(value.lower(), autoescape=True)


def shown_rows(result: sa.CursorResult[Any]) -> Iterator[dict[str, Any]]:
    """Yield rows as programs and people read them, without the columns that only sort."""
    headings = headings_of(result)
    for row in result.mappings():
        yield {name: to_plain(row[name]) for name in headings}


def headings_of(result: sa.CursorResult[Any]) -> list[str]:
    return [name for name in list(result.keys()) if not name.startswith("_")]


def to_plain(value: Any) -> Any:
    """Write money as a decimal string and dates as ISO; flags and counts stay what they are."""
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def accounts_of_checks(books: Connection) -> dict[tuple[str, str], list[str]]:
    """Return the numbers of the accounts that failed each check of each period, each once."""
    found: dict[tuple[str, str], list[str]] = {}
    for period, name, number in books.execute(
        sa.select(check_finding.c.period, check_finding.c.check_name, check_finding.c.account)
        .where(check_finding.c.account != "", check_finding.c.known_until.is_(None))
        .order_by(check_finding.c.period, check_finding.c.check_name, check_finding.c.line)
    ):
        found.setdefault((period, name), []).append(number)
    return {key: list(dict.fromkeys(numbers)) for key, numbers in found.items()}


def _typed(column: Any, name: str, value: str) -> sa.ColumnElement[bool] | None:
    """Compare money, flags, days and counts by value; None for a column of text."""
    kind = column.type
    claim: sa.ColumnElement[bool]
    try:
        if isinstance(kind, Cents):
            claim = column == Money.parse(value)
        elif isinstance(kind, sa.Boolean):
            claim = column.is_(_to_flag(value))
        elif isinstance(kind, sa.Date):
            claim = column == parse_date(value)
        elif isinstance(kind, sa.Integer):
            claim = column == int(value)
        else:
            return None
    except ValueError:
        raise Misuse(f"--where {name}={value}: {value!r} is no value of {name}.") from None
    return claim


def _to_flag(value: str) -> bool:
    if value.lower() in ("true", "yes", "y", "1"):
        return True
    if value.lower() in ("false", "no", "n", "0"):
        return False
    raise ValueError(value)
