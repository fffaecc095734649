"""The mails of a mass mail in the outbox, each due when its turn comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import (
    delivery,
    mass_mailing,
    mass_recipient,
    suppressed_address,
    unsubscribed_address,
)
from domain.deliveries import DeliveryStatus, MessageKind
from mail.communications.mailings import Mailing, form_of, lock_mailing
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages

TURNS_A_MINUTE = 6


@dataclass(frozen=True, slots=True)
class SendSchedule:
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


def first_free_slot(books: Connection, schedule: SendSchedule, now: datetime) -> datetime:
    """Return the turn after the last one that is taken."""
    last = books.scalar(
        sa.select(sa.func.max(delivery.c.next_try_at, type_=delivery.c.next_try_at.type)).where(
            *_waiting()
        )
    )
    if last is None or not schedule.per_minute:
        return now
    return max(now, schedule.after(last, schedule.at_once))


def reschedule_overdue(database: Database, schedule: SendSchedule, now: datetime) -> int:
    """
    Spread out what waits, where more than a minute's worth is due; return how many were moved.

    After an outage their turns would have passed, and all of them would go at once.
    """
    if not schedule.per_minute:
        return 0
    waiting = sa.select(delivery.c.key).where(*_waiting())
    overdue = sa.select(sa.func.count()).where(*_waiting(), delivery.c.next_try_at <= now)
    with database.writing() as books:
        if books.execute(overdue).scalar_one() <= schedule.per_minute:
            return 0
        keys = books.scalars(waiting.order_by(delivery.c.next_try_at, delivery.c.key)).all()
        moved = (
            delivery.update()
            .where(delivery.c.key == sa.bindparam("row_key"), *_waiting())
            .values(next_try_at=sa.bindparam("due"))
        )
        books.execute(
            moved,
            [{"row_key": key, "due": schedule.after(now, place)} for place, key in enumerate(keys)],
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


CHUNK = 2_000  # mailboxes recorded in one transaction


def queue_mailing(
    database: Database,
    number: int,
    schedule: SendSchedule,
    *,
    now: datetime,
    message_domain: str,
    chunk: int = CHUNK,
) -> int:
    """
    Put a mailing's mails into the outbox, a chunk at a time; return how many are new.

    Each chunk is recorded together with how far it goes: what a kill left out, doing it again
    finds. Whoever has unsubscribed or bounced since is passed over. Their turns come after those
    of other communications that wait.
    """
    recorded = 0
    while True:
        with database.writing() as books:
            mailing = lock_mailing(books, number)
            if mailing.queued_at is not None:
                return recorded
            rows = _next_readers(books, mailing, chunk)
            first = first_free_slot(books, schedule, now)
            for place, some in _in_slots(rows, schedule):
                messages = [_message(mailing, row) for row in some]
                due = schedule.after(first, place)
                recorded += queue_messages(books, messages, now=due, message_domain=message_domain)
            _note(books, mailing, rows, chunk, now)


def _next_readers(books: Connection, mailing: Mailing, chunk: int) -> list[Any]:
    """Return the next mailboxes in their order, each with whether it is written to at all."""
    mailbox = mass_recipient.c.mailbox
    is_out = sa.or_(
        *(
            sa.exists().where(table.c.mailbox == mailbox)
            for table in (suppressed_address, unsubscribed_address)
        )
    )
    query = sa.select(mass_recipient, is_out.label("is_out")).where(
        mass_recipient.c.mailing == mailing.number
    )
    if mailing.queued_until is not None:
        query = query.where(mailbox > mailing.queued_until)
    return list(books.execute(query.order_by(mailbox).limit(chunk)))


def _in_slots(rows: list[Any], schedule: SendSchedule) -> list[tuple[int, list[Any]]]:
    """Cut mailboxes into those that have the same turn, each with how many come before."""
    welcome = [row for row in rows if not row.is_out]
    size = schedule.at_once if schedule.per_minute else max(len(welcome), 1)
    return [(place, welcome[place : place + size]) for place in range(0, len(welcome), size)]


def _message(mailing: Mailing, row: Any) -> PlannedMessage:
    return PlannedMessage(
        MessageKind.COMMUNICATION,
        about=mailing.day.isoformat(),
        address=row.address,
        source=row.source,
        account=row.account,
        form=mailing.form,
    )


def _note(books: Connection, mailing: Mailing, rows: list[Any], chunk: int, now: datetime) -> None:
    """Write down how far the outbox is filled, and that it is when no mailbox is left."""
    changes: dict[str, Any] = {"queued_until": rows[-1].mailbox} if rows else {}
    if len(rows) < chunk:
        changes["queued_at"] = now
    books.execute(
        mass_mailing.update().where(mass_mailing.c.number == mailing.number).values(changes)
    )
