"""What a worker left behind that is gone: found out from its journal, or in doubt."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.owners import is_gone
from database.tables import delivery
from domain.deliveries import DeliveryStatus
from mail.outbox.deliveries import COLUMNS, Delivery, leave_in_doubt, mark, put_back
from mail.outbox.journal import SUFFIX, LeftJournal, Record, journal_path
from rules.mail.refusals import refusal_reason

SWEPT_AFTER_SECONDS = 60
_SENDING = delivery.c.status == DeliveryStatus.SENDING


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many deliveries of workers that are gone had an answer, had not left, may have left."""

    answered: int = 0
    not_begun: int = 0
    in_doubt: int = 0

    def __add__(self, other: Recovered) -> Recovered:
        return Recovered(
            self.answered + other.answered,
            self.not_begun + other.not_begun,
            self.in_doubt + other.in_doubt,
        )


def recover(database: Database, journals: Path, now: datetime, me: str = "") -> Recovered:
    """
    Take over what was being sent by workers whose process is gone or whose lease ran out.

    Their journals tell what had not left (it goes back, uncounted), what had its answer, and what
    may have arrived: that alone is in doubt. Of a worker whose journal is not here, on another
    machine or deleted, everything is. Nothing of a living worker is touched. `me` is an owner that
    sends nothing yet: what it holds, it left behind before.
    """
    found = Recovered()
    for owner, gone in _lost_owners(database, now, me):
        found += _recover_from(database, journals, now, owner, is_gone=gone)
    _sweep(database, journals)
    return found


def has_leftovers(database: Database, now: datetime) -> bool:
    """Tell whether mails are held by a worker that is gone; changes nothing."""
    return any(_lost_owners(database, now, ""))


def _lost_owners(database: Database, now: datetime, me: str) -> Iterator[tuple[str | None, bool]]:
    """Yield who holds mails and is gone, or whose lease ran out, with whether he is surely gone."""
    with database.reading() as books:
        owners = books.execute(
            sa.select(delivery.c.lease_owner, sa.func.min(delivery.c.lease_until))
            .where(_SENDING)
            .group_by(delivery.c.lease_owner)
        ).all()
    for owner, until in owners:
        gone = owner is None or owner == me or is_gone(owner)
        if gone or until is None or until <= now:
            yield owner, gone


def _recover_from(
    database: Database, journals: Path, now: datetime, owner: str | None, *, is_gone: bool
) -> Recovered:
    """
    Read, write down, then delete: a kill in between leaves the journal for the next one.

    A lock on the journal of an owner that is gone is somebody else's who recovers. That of one
    whose lease ran out may be its own: it lives and may still send, so everything is in doubt.
    """
    try:
        with _left(journals, owner) as journal:
            with database.writing() as books:
                rows = _held(books, owner, now, is_gone=is_gone)
                found = _write(books, owner, now, rows, journal.record if journal else None)
            if journal is not None:
                journal.delete()
            return found
    except BlockingIOError:
        if is_gone:
            return Recovered()
    with database.writing() as books:
        return _write(books, owner, now, _held(books, owner, now, is_gone=False), None)


@contextmanager
def _left(journals: Path, owner: str | None) -> Iterator[LeftJournal | None]:
    """Open and lock what a worker left; None where it is not here. Raises BlockingIOError."""
    try:
        journal = LeftJournal(journal_path(journals, owner or ""))
    except BlockingIOError:
        raise
    except OSError:  # absent, or another user's
        yield None
        return
    try:
        yield journal if journal.record.owner == owner else None
    finally:
        journal.close()


def _held(books: Connection, owner: str | None, now: datetime, *, is_gone: bool) -> list[Delivery]:
    """
    Lock an owner's rows.

    PostgreSQL may still be busy with the last words of a process that is gone: they are waited
    for, as its journal is deleted afterwards. Rows that a living owner is just writing are left.
    """
    query = sa.select(*COLUMNS).where(_SENDING, delivery.c.lease_owner == owner)
    if not is_gone:
        until = delivery.c.lease_until
        query = query.where(until.is_(None) | (until <= now))
    rows: Sequence[sa.Row[Any]] = books.execute(
        query.with_for_update(skip_locked=not is_gone)
    ).all()
    return [Delivery(*row) for row in rows]


def _write(
    books: Connection,
    owner: str | None,
    now: datetime,
    rows: list[Delivery],
    record: Record | None,
) -> Recovered:
    if record is None:
        leave_in_doubt(books, owner, now, rows)
        return Recovered(in_doubt=len(rows))
    answered = [(row, found) for row in rows if (found := record.outcome_of(row.key)) is not None]
    refused = [row for row, found in answered if refusal_reason(found.error)]
    answered = [(row, found) for row, found in answered if not refusal_reason(found.error)]
    others = [row for row in rows if record.outcome_of(row.key) is None]
    begun = [row for row in others if record.may_have_begun(row.key)]
    not_begun = [row for row in others if not record.may_have_begun(row.key)]
    mark(books, owner, now, answered)
    leave_in_doubt(books, owner, now, begun)
    # What was refused surely did not arrive. Whether it was one of many is seen when it goes again.
    put_back(books, owner, now, [*not_begun, *refused])
    return Recovered(len(answered), len(not_begun) + len(refused), len(begun))


def _sweep(database: Database, journals: Path) -> None:
    """
    Delete journals of workers that are gone and hold nothing: a kill left them.

    Not at once: PostgreSQL may yet come to write down what such a worker claimed last.
    """
    for path in journals.glob(f"*{SUFFIX}"):
        try:
            if time.time() - path.stat().st_mtime < SWEPT_AFTER_SECONDS:
                continue
            journal = LeftJournal(path)
        except OSError:  # its owner lives, or somebody else has swept
            continue
        with database.reading() as books:
            owner = journal.record.owner
            held = sa.select(delivery.c.key).where(_SENDING, delivery.c.lease_owner == owner)
            if books.execute(held.limit(1)).first() is None:
                journal.delete()
        journal.close()
