"""The audit list: who did what, when and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import audit
from domain.audit_chain import GENESIS, Act, chain_hash

APPENDING = 0x6175646974  # PostgreSQL's advisory lock of whoever appends


def record_audit(
    connection: Connection, at: datetime, who: str, action: str, subject: str, detail: str = ""
) -> None:
    """
    Record one act for the audit list, in the transaction that carries it out.

    `subject` names the run or account, `detail` the reason or the figures; no personal data
    beyond account numbers. The row is written when the transaction ends: only one machine
    appends at a time, and whoever waited for it holding rows that it needs would wait for ever.
    """
    _recorded(connection).append(_Recorded(at, who, action, subject, detail))


def is_audited(
    connection: Connection, action: str, subject: str, detail: str | None = None
) -> bool:
    """Tell whether the list has such an act, be it of this transaction."""
    for act in connection.get_execution_options().get("acts", ()):
        if (act.action, act.subject) == (action, subject) and detail in (None, act.detail):
            return True
    known = sa.select(audit.c.id).where(audit.c.action == action, audit.c.subject == subject)
    if detail is not None:
        known = known.where(audit.c.detail == detail)
    return connection.execute(known.limit(1)).first() is not None


def append_acts(connection: Connection, recorded: Iterable[_Recorded]) -> None:
    """
    Append what a transaction recorded, in its order; each row holds the hash of the one before.

    Whoever appends holds the end of the list until its transaction ends, which is at once.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(APPENDING)))
    number, previous = _end(connection)
    rows = []
    for one in recorded:
        number += 1
        act = Act(number, one.at, one.who, one.action, one.subject, one.detail)
        ours = chain_hash(previous, act.content_hash)
        rows.append({"id": number, **asdict(one), "previous": previous, "hash": ours})
        previous = ours
    connection.execute(audit.insert(), rows)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """An act that has no place in the list yet."""

    at: datetime
    who: str
    action: str
    subject: str
    detail: str


def _recorded(connection: Connection) -> list[_Recorded]:
    """Return what this transaction recorded so far; LookupError outside `Database.writing`."""
    recorded: list[_Recorded] = connection.get_execution_options()["acts"]
    return recorded


def _end(connection: Connection) -> tuple[int, str]:
    newest = sa.select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return (0, GENESIS) if row is None else (row.id, row.hash)
