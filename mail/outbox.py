"""The recorded deliveries: who sends which, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.owners import is_gone
from database.tables import delivery
from domain.deliveries import DeliveryStatus, MessageKind
from mail.states import DELIVERY, RETRY_DELAYS

_CLAIMABLE = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED, DeliveryStatus.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recorded delivery that this worker has claimed."""

    key: str
    run: str | None
    account_key: str
    account: str
    kind: MessageKind
    form: str
    address: str
    message_id: str
    attempts: int  # finished ones
    queued_at: datetime


_COLUMNS = [delivery.c[name] for name in Delivery.__dataclass_fields__]


def claim(
    database: Database,
    owner: str,
    now: datetime,
    limit: int,
    lease: timedelta,
    *,
    resend_in_doubt: bool = True,
) -> list[Delivery]:
    """
    Take up to `limit` due deliveries for this owner until the lease runs out.

    Several workers may claim at once and never get the same row. What is sent again after a
    doubt is flagged a possible duplicate; without `resend_in_doubt` it waits for a person.
    """
    statuses = _CLAIMABLE if resend_in_doubt else _CLAIMABLE[:-1]
    claimed: list[Delivery] = []
    with database.writing() as connection:
        for status in statuses:
            claimed += _claim(connection, status, owner, now, limit - len(claimed), lease)
    return claimed


def _claim(
    connection: Connection,
    status: DeliveryStatus,
    owner: str,
    now: datetime,
    limit: int,
    lease: timedelta,
) -> list[Delivery]:
    """
    Lock rows that nobody else holds, then update them by key: two steps.

    In one statement PostgreSQL may lock more rows than the limit, or wait for another worker.
    """
    due = (
        sa.select(*_COLUMNS)
        .where(
            delivery.c.status == status,
            delivery.c.next_try_at <= now,
            delivery.c.attempts <= len(RETRY_DELAYS),
        )
        .order_by(delivery.c.next_try_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = [Delivery(*row) for row in connection.execute(due)] if limit > 0 else []
    changes: dict[str, Any] = {
        "status": DELIVERY.after(status, "claimed"),
        "lease_owner": owner,
        "lease_until": now + lease,
    }
    if status is DeliveryStatus.IN_DOUBT:
        changes["possible_duplicate"] = True
    if rows:
        keys = [row.key for row in rows]
        connection.execute(delivery.update().where(delivery.c.key.in_(keys)).values(changes))
    return rows


def release_lost(database: Database, now: datetime) -> int:
    """
    Put in doubt what a worker was sending whose lease ran out or whose process is gone.

    The server may have taken any of them. Looking for the process spares a run that is started
    again at once the wait for the lease. Returns how many there were.
    """
    sending = delivery.c.status == DeliveryStatus.SENDING
    with database.writing() as connection:
        owners = connection.scalars(sa.select(delivery.c.lease_owner).where(sending).distinct())
        gone = [owner for owner in owners if owner is None or is_gone(owner)]
        lost = delivery.c.lease_until.is_(None) | (delivery.c.lease_until <= now)
        released = connection.execute(
            delivery.update()
            .where(sending, lost | delivery.c.lease_owner.in_(gone))
            .values(
                status=DELIVERY.after(DeliveryStatus.SENDING, "lease ran out"),
                attempts=delivery.c.attempts + 1,
                lease_owner=None,
                lease_until=None,
                error="the sending stopped before an answer was written down",
            )
        )
    return released.rowcount


def counts(database: Database, run: str) -> dict[DeliveryStatus, int]:
    """Count a run's deliveries by status; every status is there."""
    query = (
        sa.select(delivery.c.status, sa.func.count().label("number"))
        .where(delivery.c.run == run)
        .group_by(delivery.c.status)
    )
    with database.reading() as connection:
        found = {row.status: row.number for row in connection.execute(query)}
    return {status: found.get(status, 0) for status in DeliveryStatus}
