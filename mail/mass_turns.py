"""The turns in which mass mails leave, kept in the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import delivery
from domain.deliveries import DeliveryStatus, MessageKind
from mail.mass_mailing import form_of

TURNS_A_MINUTE = 6


@dataclass(frozen=True, slots=True)
class Turns:
    """
    When mails are due, so that no more than `per_minute` leave in a minute; 0: all at once.

    The times stand in the books. Whoever sends keeps to them, bills and receipts need not wait
    for thousands of news, and a restart changes nothing.
    """

    per_minute: int = 0

    @property
    def at_once(self) -> int:
        """How many have the same turn."""
        return max(1, self.per_minute // TURNS_A_MINUTE)

    @property
    def interval(self) -> timedelta:
        """How long after one turn the next one is: no 60 seconds hold more than the limit."""
        return timedelta(minutes=1 / min(self.per_minute, TURNS_A_MINUTE))

    def after(self, first: datetime, before: int) -> datetime:
        """Return when a mail is due that comes after so many others."""
        if not self.per_minute:
            return first
        return first + before // self.at_once * self.interval


def first_turn(books: Connection, turns: Turns, now: datetime) -> datetime:
    """Return the turn after the last one that is taken."""
    last = books.scalar(
        sa.select(sa.func.max(delivery.c.next_try_at, type_=delivery.c.next_try_at.type)).where(
            *_waiting()
        )
    )
    if last is None or not turns.per_minute:
        return now
    return max(now, turns.after(last, turns.at_once))


def take_turns_anew(database: Database, turns: Turns, now: datetime) -> int:
    """
    Spread out what waits, where more than a minute's worth is due; return how many were moved.

    After an outage their turns would have passed, and all of them would go at once.
    """
    if not turns.per_minute:
        return 0
    waiting = sa.select(delivery.c.key).where(*_waiting())
    overdue = sa.select(sa.func.count()).where(*_waiting(), delivery.c.next_try_at <= now)
    with database.writing() as books:
        if books.execute(overdue).scalar_one() <= turns.per_minute:
            return 0
        keys = books.scalars(waiting.order_by(delivery.c.next_try_at, delivery.c.key)).all()
        moved = (
            delivery.update()
            .where(delivery.c.key == sa.bindparam("row_key"), *_waiting())
            .values(next_try_at=sa.bindparam("due"))
        )
        books.execute(
            moved,
            [{"row_key": key, "due": turns.after(now, place)} for place, key in enumerate(keys)],
        )
    return len(keys)


def next_turn(database: Database, number: int) -> datetime | None:
    """Return when the next mail of a mailing is due; None: none waits for its turn."""
    query = sa.select(sa.func.min(delivery.c.next_try_at, type_=delivery.c.next_try_at.type)).where(
        *_waiting(), delivery.c.form == form_of(number)
    )
    with database.reading() as books:
        due: datetime | None = books.scalar(query)
    return due


def _waiting() -> list[sa.ColumnElement[bool]]:
    return [
        delivery.c.kind == MessageKind.COMMUNICATION,
        delivery.c.status == DeliveryStatus.QUEUED,
    ]
