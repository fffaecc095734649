"""Which recorded deliveries are due, and how many."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from database.books import Database
from database.tables import delivery
from domain.deliveries import DeliveryStatus, MessageKind
from mail.states import RETRY_DELAYS

_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)


def sendable(*, resend_in_doubt: bool) -> tuple[DeliveryStatus, ...]:
    """Return the statuses in which a delivery may be claimed, in the order of their turns."""
    return (*_WAITING, DeliveryStatus.IN_DOUBT) if resend_in_doubt else _WAITING


def is_due(
    status: DeliveryStatus, now: datetime, kinds: Collection[MessageKind]
) -> sa.ColumnElement[bool]:
    """Choose deliveries in one status; with one at a time the index of due ones is used."""
    return sa.and_(
        delivery.c.status == status,
        delivery.c.next_try_at <= now,
        delivery.c.attempts <= len(RETRY_DELAYS),
        delivery.c.kind.in_(kinds),
    )


def count_due(
    database: Database,
    now: datetime,
    kinds: Collection[MessageKind],
    *,
    resend_in_doubt: bool = True,
    most: int,
) -> int:
    """Count what is due of some kinds, up to `most`: nobody waits for a count of 50,000."""
    count = 0
    with database.reading() as books:
        for status in sendable(resend_in_doubt=resend_in_doubt):
            due = sa.select(delivery.c.key).where(is_due(status, now, kinds))
            counted = sa.select(sa.func.count()).select_from(due.limit(most - count).subquery())
            count += books.execute(counted).scalar_one()
    return count
