"""The audit list: who did what, when and why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from database.tables import audit


def record_audit(
    connection: Connection, at: datetime, who: str, action: str, subject: str, detail: str = ""
) -> None:
    """
    Write one act into the audit list, in the transaction that carries it out.

    `subject` names the run or account, `detail` the reason or the figures; no personal data
    beyond account numbers.
    """
    connection.execute(
        audit.insert().values(at=at, who=who, action=action, subject=subject, detail=detail)
    )
