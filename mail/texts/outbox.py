"""Recorded texts: who sends which, and what became of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.texts import text_message
from database.owners import is_gone
from database.queries.outsorted import is_outsorted
from domain.deliveries import WAITING, DeliveryStatus, MessageKind, RecipientSource
from domain.texts import BY_DAY
from mail.keys import about_of
from mail.port import Result
from mail.texts.port import TextOutcome
from mail.texts.readers import has_stopped, select_readers
from mail.texts.recording import TEXT

LEASE = timedelta(minutes=10)
SETTLED = timedelta(minutes=2)  # after that a carrier knows of a text if it has it
RETRY_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 240))
_STATUSES = (*WAITING, DeliveryStatus.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class ClaimedText:
    """One recorded text that this worker has claimed; `status` is what it had before."""

    key: str
    mail_key: str
    period: str | None
    account_key: str
    account: str
    kind: MessageKind
    form: str
    address: str
    source: RecipientSource | None
    phone: str
    language: str
    status: DeliveryStatus
    attempts: int
    queued_at: datetime
    handed_at: datetime
    words: str | None  # of an attempt that is in doubt

    @property
    def about(self) -> str:
        return about_of(self.key)

    @property
    def is_in_doubt(self) -> bool:
        return self.status is DeliveryStatus.IN_DOUBT


_COLUMNS = [text_message.c[name] for name in ClaimedText.__dataclass_fields__]


def _is_due(now: datetime, kinds: Collection[MessageKind]) -> sa.ColumnElement[bool]:
    """Choose what is due of some kinds; nothing about a bill that is held back is."""
    rows = text_message.c
    return sa.and_(
        rows.status.in_(_STATUSES),
        rows.next_try_at <= now,
        rows.kind.in_(kinds),
        ~sa.and_(rows.kind != MessageKind.ACCESS, is_outsorted(rows.period, rows.account_key)),
    )


def has_due(books: Connection, now: datetime, kinds: Collection[MessageKind]) -> bool:
    """Tell whether there is work for a sender: something due, or left by one that is gone."""
    rows = text_message.c
    is_left = sa.and_(rows.status == DeliveryStatus.SENDING, rows.lease_until < now)
    query = sa.select(rows.key).where(sa.or_(_is_due(now, kinds), is_left)).limit(1)
    return books.scalar(query) is not None


def claim_texts(
    database: Database, owner: str, now: datetime, limit: int, kinds: Collection[MessageKind]
) -> list[ClaimedText]:
    """
    Take up to `limit` due texts for this owner until the lease runs out.

    Several workers may claim at once and never get the same row. What its reader does not want
    any more fails here, in the same transaction, however long ago it was recorded.
    """
    rows = text_message.c
    due = (
        sa.select(*_COLUMNS)
        .where(_is_due(now, kinds))
        .order_by(rows.next_try_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    with database.writing() as books:
        _fail_unwanted(books, now)
        found = [_claimed(row, now) for row in books.execute(due).all()]
        for one in found:
            books.execute(
                text_message.update()
                .where(rows.key == one.key)
                .values(
                    status=TEXT.after(one.status, "claimed"),
                    lease_owner=owner,
                    lease_until=now + LEASE,
                    handed_at=one.handed_at,
                )
            )
    return found


def _claimed(row: Any, now: datetime) -> ClaimedText:
    values = dict(row._mapping)
    if row.status is not DeliveryStatus.IN_DOUBT or row.handed_at is None:
        values["handed_at"], values["words"] = now, None
    return ClaimedText(**values)


def _fail_unwanted(books: Connection, now: datetime) -> None:
    rows, reader = text_message.c, select_readers().subquery("reader")
    wants = sa.exists().where(reader.c.number == rows.user_number, reader.c.phone == rows.phone)
    is_unwanted = sa.or_(sa.and_(rows.kind.in_(BY_DAY), ~wants), has_stopped(rows.phone))
    books.execute(
        text_message.update()
        .where(rows.status.in_(WAITING), rows.next_try_at <= now, is_unwanted)
        .values(
            status=TEXT.after(DeliveryStatus.QUEUED, "unwanted"),
            error="its reader does not want texts there any more",
        )
    )


def recover_texts(database: Database, now: datetime, me: str) -> int:
    """Leave in doubt what somebody has claimed who is gone, or is too slow; return how many."""
    rows = text_message.c
    held = sa.select(rows.key, rows.lease_owner, rows.lease_until, rows.handed_at).where(
        rows.status == DeliveryStatus.SENDING
    )
    with database.writing() as books:
        lost = [
            row
            for row in books.execute(held)
            if row.lease_until <= now or (row.lease_owner != me and is_gone(row.lease_owner))
        ]
        for row in lost:
            books.execute(
                text_message.update()
                .where(rows.key == row.key, rows.status == DeliveryStatus.SENDING)
                .values(
                    status=TEXT.after(DeliveryStatus.SENDING, "lease ran out"),
                    next_try_at=row.handed_at + SETTLED,
                    lease_owner=None,
                    lease_until=None,
                    error="the sending stopped before an answer was written down",
                )
            )
    return len(lost)


def mark_text(
    books: Connection, owner: str, now: datetime, row: ClaimedText, outcome: TextOutcome
) -> DeliveryStatus:
    """Write down what became of a text that this owner still holds; return its status."""
    attempts = row.attempts + 1
    gives_up = outcome.result is Result.DEFERRED and attempts > len(RETRY_DELAYS)
    status = TEXT.after(DeliveryStatus.SENDING, "given up" if gives_up else outcome.result)
    wait = RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1]
    doubtful = status is DeliveryStatus.IN_DOUBT
    _change(
        books, owner, row,
        status=status,
        attempts=attempts,
        next_try_at=row.handed_at + SETTLED if doubtful else now + wait,
        sent_at=now if status is DeliveryStatus.SENT else None,
        reference=outcome.reference,
        error=outcome.error or None,
    )  # fmt: skip
    return status


def keep_words(books: Connection, owner: str, row: ClaimedText, words: str) -> None:
    """Keep what is about to be said."""
    rows = text_message.c
    books.execute(
        text_message.update()
        .where(rows.key == row.key, rows.lease_owner == owner)
        .values(words=words)
    )


def put_text_back(
    books: Connection, owner: str, now: datetime, row: ClaimedText, why: str = ""
) -> None:
    """
    Return a text that was surely not handed over; no attempt is counted.

    One that is in doubt and could not be looked up stays so.
    """
    event = "in-doubt" if row.is_in_doubt else "put back"
    _change(
        books, owner, row,
        status=TEXT.after(DeliveryStatus.SENDING, event),
        next_try_at=now + SETTLED if row.is_in_doubt else now,
        error=why or None,
    )  # fmt: skip


def send_again(books: Connection, owner: str, now: datetime, row: ClaimedText) -> None:
    """Queue a text that was in doubt and that the carrier has not got."""
    _change(
        books, owner, row,
        status=TEXT.after(DeliveryStatus.SENDING, "put back"),
        attempts=row.attempts,
        next_try_at=now,
        possible_duplicate=True,
    )  # fmt: skip


def note_not_delivered(books: Connection, reference: str, why: str) -> bool:
    """Write down that a text the carrier had taken did not arrive; was it one of ours?"""
    rows = text_message.c
    done = books.execute(
        text_message.update()
        .where(rows.reference == reference, rows.status == DeliveryStatus.SENT)
        .values(status=TEXT.after(DeliveryStatus.SENT, "not delivered"), error=why)
    )
    return done.rowcount > 0


def _change(books: Connection, owner: str, row: ClaimedText, **changes: Any) -> None:
    rows = text_message.c
    books.execute(
        text_message.update()
        .where(
            rows.key == row.key,
            rows.lease_owner == owner,
            rows.status == DeliveryStatus.SENDING,
        )
        .values(lease_owner=None, lease_until=None, **changes)
    )
