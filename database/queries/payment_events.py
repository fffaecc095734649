"""What became of payments that were taken: returns, disputes, refunds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.ledger.tables import payment_event
from database.tables import draw
from domain.ledger import EntryKind
from domain.money import Money

TAKEN_BACK = (EntryKind.RETURN, EntryKind.DISPUTE)  # by a bank


def newest_taken_back() -> sa.Subquery:
    """
    Select for each payment that a bank took back, wholly or in part, the newest time it did.

    A payment has as many events as happen: whoever joined them all would see it several times.
    """
    event = payment_event.c
    newest_first = (event.happened_at.desc(), event.event_id.desc())
    numbered = (
        sa.select(
            draw.c.payment_key,
            *event,
            sa.func.row_number()
            .over(partition_by=draw.c.payment_key, order_by=newest_first)
            .label("place"),
        )
        .join(draw, draw.c.key == event.draw_key)
        .where(event.kind.in_(TAKEN_BACK))
        .subquery()
    )
    columns = [column for column in numbered.c if column.name != "place"]
    return sa.select(*columns).where(numbered.c.place == 1).subquery("taken_back")


@dataclass(frozen=True, slots=True)
class MoneyMoved:
    """What became of a payment after it was taken: as much of it went back, or came again."""

    event_id: str
    kind: EntryKind
    amount: Money
    happened_at: datetime

    @property
    def short(self) -> str:
        """What stands for it in the key of the mail that tells of it."""
        return hashlib.sha256(self.event_id.encode()).hexdigest()[:12]


def moved_of(books: Connection, payment_key: str) -> list[MoneyMoved]:
    """Return what became of a payment after it was taken, oldest first."""
    event = payment_event.c
    query = (
        sa.select(event.event_id, event.kind, event.amount, event.happened_at)
        .join(draw, draw.c.key == event.draw_key)
        .where(draw.c.payment_key == payment_key)
        .order_by(event.happened_at, event.event_id)
    )
    return [MoneyMoved(*row) for row in books.execute(query)]
