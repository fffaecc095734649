"""The audit list: who did what, when and why."""

from __future__ import annotations

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
    Append one act to the audit list, in the transaction that carries it out.

    `subject` names the run or account, `detail` the reason or the figures; no personal data
    beyond account numbers. The row holds the hash of the one before it. One appends at a time and
    holds the end of the list until its transaction ends, so record the act last in it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(APPENDING)))
    number, previous = _end(connection)
    act = Act(number + 1, at, who, action, subject, detail)
    connection.execute(
        audit.insert().values(
            id=act.number,
            at=act.at,
            who=who,
            action=action,
            subject=subject,
            detail=detail,
            previous=previous,
            hash=chain_hash(previous, act.content_hash),
        )
    )


def _end(connection: Connection) -> tuple[int, str]:
    newest = sa.select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return (0, GENESIS) if row is None else (row.id, row.hash)
