"""What became of deliveries, written down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import delivery
from domain.deliveries import DeliveryStatus
from mail.outbox import Delivery
from mail.port import Outcome, Result
from mail.states import DELIVERY, retry_delay


def mark(
    database: Database,
    owner: str,
    now: datetime,
    outcomes: Sequence[tuple[Delivery, Outcome]],
    lease: timedelta,
) -> list[DeliveryStatus]:
    """
    Write down what became of deliveries, and renew the lease of those still under way.

    Only rows that this owner still holds are touched. Returns the statuses they came to.
    """
    changes = [_to_change(row, outcome, now) for row, outcome in outcomes]
    with database.writing() as connection:
        _change(connection, owner, changes)
        held = (
            delivery.c.status == DeliveryStatus.SENDING,
            delivery.c.lease_owner == owner,
        )
        connection.execute(delivery.update().where(*held).values(lease_until=now + lease))
    return [change["status"] for change in changes]


def put_back(
    database: Database, owner: str, now: datetime, rows: Iterable[Delivery], error: str = ""
) -> int:
    """
    Return deliveries that were surely not handed over; no attempt is counted.

    With an error (the relay was unavailable) they are deferred, due again at once: it says
    nothing about the mailbox, and whoever repaired the relay need not wait.
    """
    event = "relay unavailable" if error else "put back"
    changes = [
        {
            "row_key": row.key,
            "status": DELIVERY.after(DeliveryStatus.SENDING, event),
            "attempts": row.attempts,
            "next_try_at": now,
            "sent_at": None,
            "error": error or None,
        }
        for row in rows
    ]
    if changes:
        with database.writing() as connection:
            _change(connection, owner, changes)
    return len(changes)


def _to_change(row: Delivery, outcome: Outcome, now: datetime) -> dict[str, Any]:
    attempts = row.attempts + 1
    delay = retry_delay(attempts)
    gives_up = outcome.result is Result.DEFERRED and delay is None
    return {
        "row_key": row.key,
        "status": DELIVERY.after(
            DeliveryStatus.SENDING, "given up" if gives_up else outcome.result
        ),
        "attempts": attempts,
        "next_try_at": now + (delay or timedelta()),
        "sent_at": now if outcome.result is Result.SENT else None,
        "error": outcome.error or None,
    }


def _change(connection: Connection, owner: str, changes: list[dict[str, Any]]) -> None:
    statement = (
        delivery.update()
        .where(
            delivery.c.key == sa.bindparam("row_key"),
            delivery.c.lease_owner == owner,
            delivery.c.status == DeliveryStatus.SENDING,
        )
        .values(lease_owner=None, lease_until=None)
        .values({name: sa.bindparam(name) for name in changes[0] if name != "row_key"})
    )
    connection.execute(statement, changes)
