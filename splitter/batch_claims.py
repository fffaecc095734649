"""Who works on which batch, and until when: claimed, renewed, done, put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.owners import is_gone
from database.tables import split_batch
from database.types import Moment
from domain.batches import BATCH, BatchState
from splitter.batch_plan import outcome_to_text
from splitter.splitting import Filed

LEASE = timedelta(minutes=2)  # renewed while its holder works; see splitter.batch_worker
MOST_ATTEMPTS = 4  # a batch that ended four processes ends the next one too
COLUMNS = ("run", "number", "bulk", "plan", "release", "bills", "pages", "orders")


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that this process holds."""

    run: str
    number: int
    bulk: int
    plan: str
    release: str
    bills: int
    pages: int
    orders: str


def claim(
    database: Database,
    owner: str,
    release: str,
    *,
    run: str | None = None,
    number: int | None = None,
    lease: timedelta = LEASE,
) -> Batch | None:
    """
    Take a batch that nobody works on: any, or one of a run; None where there is none.

    Whoever is gone, killed on this host or silent for longer than the lease, loses what it held. A
    batch that has ended so many processes is given up instead. The database's clock decides, since
    machines' clocks differ.
    """
    with database.writing() as books:
        now = _now(books)
        wanted = [split_batch.c.release == release, _is_free(books, now)]
        wanted += [] if run is None else [split_batch.c.run == run]
        wanted += [] if number is None else [split_batch.c.number == number]
        while (row := _first(books, wanted)) is not None:
            if row.attempts < MOST_ATTEMPTS:
                _change(
                    books,
                    row,
                    "claimed",
                    attempts=row.attempts + 1,
                    lease_owner=owner,
                    lease_until=now + lease,
                    started_at=now,
                )
                return Batch(*(getattr(row, name) for name in COLUMNS))
            _change(books, row, "given up")
    return None


def next_free(database: Database, run: str, release: str) -> int | None:
    """Return the number of a run's first batch that could be claimed."""
    with database.reading() as books:
        query = (
            sa.select(sa.func.min(split_batch.c.number))
            .where(split_batch.c.run == run, split_batch.c.release == release)
            .where(_is_free(books, _now(books)))
        )
        number: int | None = books.execute(query).scalar_one()
    return number


def renew(database: Database, batch: Batch, owner: str, lease: timedelta = LEASE) -> bool:
    """Go on holding a batch; False: it is somebody else's by now."""
    with database.writing() as books:
        return _held(books, batch, owner, {"lease_until": _now(books) + lease})


def mark_done(database: Database, batch: Batch, owner: str, filed: Filed) -> bool:
    """Write down what became of a batch's bills; False: it is somebody else's by now."""
    with database.writing() as books:
        changes = {
            "state": BATCH.after(BatchState.TAKEN, "done"),
            "finished_at": _now(books),
            "outcome": outcome_to_text(filed),
        }
        return _held(books, batch, owner, changes)


def put_back(database: Database, batch: Batch, owner: str) -> None:
    """Give a batch to whoever comes next; no attempt is counted, since nobody was taken down."""
    with database.writing() as books:
        changes = {
            "state": BATCH.after(BatchState.TAKEN, "put back"),
            "attempts": split_batch.c.attempts - 1,
            "lease_owner": None,
            "lease_until": None,
        }
        _held(books, batch, owner, changes)


def _now(books: Connection) -> datetime:
    now: datetime = books.execute(sa.select(sa.func.current_timestamp(type_=Moment()))).scalar_one()
    return now


def _is_free(books: Connection, now: datetime) -> sa.ColumnElement[bool]:
    taken = split_batch.c.state == BatchState.TAKEN
    owners = sa.select(split_batch.c.lease_owner).where(taken).distinct()
    gone = [owner for owner in books.execute(owners).scalars() if is_gone(owner)]
    is_left = sa.or_(split_batch.c.lease_until < now, split_batch.c.lease_owner.in_(gone))
    return sa.or_(split_batch.c.state == BatchState.WAITING, sa.and_(taken, is_left))


def _first(books: Connection, wanted: list[sa.ColumnElement[bool]]) -> sa.Row[Any] | None:
    """Lock the first batch that nobody else is just taking."""
    query = (
        sa.select(*(split_batch.c[name] for name in (*COLUMNS, "state", "attempts")))
        .where(*wanted)
        .order_by(split_batch.c.run, split_batch.c.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return books.execute(query).first()


def _change(books: Connection, row: sa.Row[Any], event: str, **changes: Any) -> None:
    """Move a locked batch by an event of the table in domain.batches."""
    books.execute(
        split_batch.update()
        .where(split_batch.c.run == row.run, split_batch.c.number == row.number)
        .values(state=BATCH.after(row.state, event), **changes)
    )


def _held(books: Connection, batch: Batch, owner: str, changes: dict[str, Any]) -> bool:
    """Change a batch that this owner still holds; tell whether it does."""
    changed = books.execute(
        split_batch.update()
        .where(
            split_batch.c.run == batch.run,
            split_batch.c.number == batch.number,
            split_batch.c.plan == batch.plan,
            split_batch.c.state == BatchState.TAKEN,
            split_batch.c.lease_owner == owner,
        )
        .values(changes)
    )
    return changed.rowcount == 1
