"""What became of deliveries, written down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import delivery
from domain.deliveries import DeliveryStatus
from mail.outbox import Delivery
from mail.port import Outcome, Result
from mail.states import DELIVERY, retry_delay


def mark(
    books: Connection,
    owner: str | None,
    now: datetime,
    outcomes: Iterable[tuple[Delivery, Outcome]],
) -> list[DeliveryStatus]:
    """
    Write down what became of deliveries, and return the statuses they came to.

    Here as below, only rows that this owner still holds are touched.
    """
    changes = [_to_change(row, outcome, now) for row, outcome in outcomes]
    _change(books, owner, changes)
    return [change["status"] for change in changes]


def put_back(
    books: Connection, owner: str | None, now: datetime, rows: Sequence[Delivery], error: str = ""
) -> None:
    """
    Return deliveries that were surely not handed over; no attempt is counted.

    With an error (the relay was unavailable) they are deferred, due again at once: it says
    nothing about the mailbox, and whoever repaired the relay need not wait.
    """
    event = "relay unavailable" if error else "put back"
    status = DELIVERY.after(DeliveryStatus.SENDING, event)
    _change(books, owner, [_change_of(row, status, row.attempts, now, error) for row in rows])


def leave_in_doubt(
    books: Connection, owner: str | None, now: datetime, rows: Sequence[Delivery]
) -> None:
    """Say of deliveries that they may have arrived: their sender stopped before an answer."""
    status = DELIVERY.after(DeliveryStatus.SENDING, "lease ran out")
    error = "the sending stopped before an answer was written down"
    _change(books, owner, [_change_of(row, status, row.attempts + 1, now, error) for row in rows])


def renew(books: Connection, owner: str, until: datetime) -> None:
    """Go on holding what is under way."""
    books.execute(
        delivery.update()
        .where(delivery.c.status == DeliveryStatus.SENDING, delivery.c.lease_owner == owner)
        .values(lease_until=until)
    )


def _to_change(row: Delivery, outcome: Outcome, now: datetime) -> dict[str, Any]:
    attempts = row.attempts + 1
    delay = retry_delay(attempts, now - row.queued_at)
    gives_up = outcome.result is Result.DEFERRED and delay is None
    status = DELIVERY.after(DeliveryStatus.SENDING, "given up" if gives_up else outcome.result)
    change = _change_of(row, status, attempts, now + (delay or timedelta()), outcome.error)
    return change | {"sent_at": now if outcome.result is Result.SENT else None}


def _change_of(
    row: Delivery, status: DeliveryStatus, attempts: int, next_try_at: datetime, error: str
) -> dict[str, Any]:
    return {
        "row_key": row.key,
        "status": status,
        "attempts": attempts,
        "next_try_at": next_try_at,
        "sent_at": None,
        "error": error or None,
    }


def _change(books: Connection, owner: str | None, changes: list[dict[str, Any]]) -> None:
    if not changes:
        return
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
    books.execute(statement, changes)
