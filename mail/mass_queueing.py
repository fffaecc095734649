"""The mails of a mass mail in the outbox, each due when its turn comes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import (
    mass_mailing,
    mass_recipient,
    suppressed_address,
    unsubscribed_address,
)
from domain.deliveries import MessageKind
from mail.mass_mailing import Mailing, lock_mailing
from mail.mass_turns import Turns, first_turn
from mail.queueing import PlannedMessage, queue_messages

CHUNK = 2_000  # mailboxes recorded in one transaction


def queue_mailing(
    database: Database,
    number: int,
    turns: Turns,
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
            first = first_turn(books, turns, now)
            for place, some in _in_turns(rows, turns):
                messages = [_message(mailing, row) for row in some]
                due = turns.after(first, place)
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


def _in_turns(rows: list[Any], turns: Turns) -> list[tuple[int, list[Any]]]:
    """Cut mailboxes into those that have the same turn, each with how many come before."""
    welcome = [row for row in rows if not row.is_out]
    size = turns.at_once if turns.per_minute else max(len(welcome), 1)
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
