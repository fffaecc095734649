"""Recording notices: those that are new, with the row of the audit list, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.tables import delivery
from domain.deliveries import MessageKind
from domain.words import say_count
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages

SOME = 500  # keys in one question


class Terms(Protocol):
    """Who records when, and the domain of Message-IDs; without `records` it is only counted."""

    @property
    def now(self) -> datetime: ...
    @property
    def who(self) -> str: ...
    @property
    def message_domain(self) -> str: ...
    @property
    def records(self) -> bool: ...


def record_new(
    database: Database, kind: MessageKind, about: str, new: Sequence[PlannedMessage], terms: Terms
) -> int:
    """Record new mails of a kind, and that it was done, or of none nothing; return how many."""
    if not new or not terms.records:
        return len(new)
    with database.writing() as books:
        queued = queue_messages(books, new, now=terms.now, message_domain=terms.message_domain)
        detail = f"{say_count(queued, 'mail')} queued"
        record_audit(books, terms.now, terms.who, f"queue {kind}", about, detail)
    return queued


def without_recorded(books: Connection, messages: Sequence[PlannedMessage]) -> list[PlannedMessage]:
    """Leave out what was recorded before, of whatever runs and forms; some at a time."""
    known: set[str] = set()
    for first in range(0, len(messages), SOME):
        keys = [message.key for message in messages[first : first + SOME]]
        known |= set(books.scalars(sa.select(delivery.c.key).where(delivery.c.key.in_(keys))))
    return [message for message in messages if message.key not in known]
