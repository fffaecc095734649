"""How the outbox stands: what was sent, what waits, since when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import delivery
from domain.deliveries import DeliveryStatus, MessageKind

WAITING = (
    DeliveryStatus.QUEUED,
    DeliveryStatus.SENDING,
    DeliveryStatus.DEFERRED,
    DeliveryStatus.IN_DOUBT,
)
REASONS = 5  # that are named, the most frequent first


@dataclass(frozen=True, slots=True)
class Standing:
    """The outbox of one period, or of all; `reasons` say what keeps how many from being sent."""

    counts: dict[MessageKind, dict[DeliveryStatus, int]]
    possible_duplicates: int
    oldest_waiting: datetime | None
    next_try: datetime | None
    reasons: dict[str, int]

    @property
    def waiting(self) -> int:
        return sum(found.get(status, 0) for found in self.counts.values() for status in WAITING)


def read_standing(database: Database, run: str | None = None) -> Standing:
    ours = [] if run is None else [delivery.c.run == run]
    is_waiting = delivery.c.status.in_(WAITING)
    is_duplicate = (delivery.c.status == DeliveryStatus.SENT) & delivery.c.possible_duplicate
    with database.reading() as books:
        oldest, next_try = books.execute(
            sa.select(sa.func.min(delivery.c.queued_at), sa.func.min(delivery.c.next_try_at)).where(
                is_waiting, *ours
            )
        ).one()
        duplicates = sa.select(sa.func.count()).where(is_duplicate, *ours)
        return Standing(
            counts=_counts(books, ours),
            possible_duplicates=books.execute(duplicates).scalar_one(),
            oldest_waiting=oldest,
            next_try=next_try,
            reasons=_reasons(books, [is_waiting, *ours]),
        )


def _counts(
    books: Connection, ours: list[sa.ColumnElement[bool]]
) -> dict[MessageKind, dict[DeliveryStatus, int]]:
    query = (
        sa.select(delivery.c.kind, delivery.c.status, sa.func.count())
        .where(*ours)
        .group_by(delivery.c.kind, delivery.c.status)
        .order_by(delivery.c.kind, delivery.c.status)
    )
    found: dict[MessageKind, dict[DeliveryStatus, int]] = {}
    for kind, status, number in books.execute(query):
        found.setdefault(kind, {})[status] = number
    return found


def _reasons(books: Connection, waiting: list[Any]) -> dict[str, int]:
    number = sa.func.count().label("number")
    query = (
        sa.select(delivery.c.error, number)
        .where(*waiting, delivery.c.error.is_not(None))
        .group_by(delivery.c.error)
        .order_by(number.desc(), delivery.c.error)
        .limit(REASONS)
    )
    return {row.error: row.number for row in books.execute(query)}
