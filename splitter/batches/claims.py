"""Who works on which batch, and until when: claimed, renewed, done, put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.owners import is_gone
from database.queries.bills import bill_folder
from database.tables import split_batch
from database.types import Moment
from domain.batches import BATCH, BatchState
from splitter.batches.plan import PLAN_SIGNS, Batch, outcome_from_text, outcome_to_text
from splitter.bulk_file.splitting import Filed
from splitter.runs.records import StagedFile
from splitter.store.bill_store import BillStore

LEASE = timedelta(minutes=2)  # renewed while its holder works; see splitter.batch_worker
MOST_ATTEMPTS = 4  # a batch that ended four processes ends the next one too
COLUMNS = tuple(column.name for column in fields(Batch))


def claim(
    database: Database,
    owner: str,
    release: str,
    *,
    period: str | None = None,
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
        wanted += [] if period is None else [split_batch.c.period == period]
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


def next_free(database: Database, period: str, release: str) -> int | None:
    """Return the number of a run's first batch that could be claimed."""
    with database.reading() as books:
        query = (
            sa.select(sa.func.min(split_batch.c.number))
            .where(split_batch.c.period == period, split_batch.c.release == release)
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
        .order_by(split_batch.c.period, split_batch.c.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return books.execute(query).first()


def _change(books: Connection, row: sa.Row[Any], event: str, **changes: Any) -> None:
    """Move a locked batch by an event of the table in domain.batches."""
    books.execute(
        split_batch.update()
        .where(split_batch.c.period == row.period, split_batch.c.number == row.number)
        .values(state=BATCH.after(row.state, event), **changes)
    )


def _held(books: Connection, batch: Batch, owner: str, changes: dict[str, Any]) -> bool:
    """Change a batch that this owner still holds; tell whether it does."""
    changed = books.execute(
        split_batch.update()
        .where(
            split_batch.c.period == batch.period,
            split_batch.c.number == batch.number,
            split_batch.c.plan == batch.plan,
            split_batch.c.state == BatchState.TAKEN,
            split_batch.c.lease_owner == owner,
        )
        .values(changes)
    )
    return changed.rowcount == 1


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """One batch as a person wants to see it."""

    number: int
    bills: int
    pages: int
    state: BatchState
    attempts: int
    owner: str | None
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state in (BatchState.WAITING, BatchState.TAKEN)


def record_batches(
    database: Database,
    period: str,
    plan: str,
    batches: Sequence[Batch],
    store: BillStore,
) -> None:
    """
    Offer a run's batches to whoever looks for work.

    Those of the same plan stay as they are: what is done is done, and what nobody could do is
    tried again. Those of another plan go, and what they have put into the store goes with them.
    """
    own = split_batch.c.period == period
    with database.writing() as books:
        plans = books.execute(sa.select(split_batch.c.plan).where(own).distinct()).scalars().all()
        if list(plans) == [plan]:
            again = BATCH.after(BatchState.FAILED, "tried again")
            failed = split_batch.c.state == BatchState.FAILED
            books.execute(split_batch.update().where(own, failed).values(state=again, attempts=0))
            return
        books.execute(split_batch.delete().where(own))
    store.delete_run(bill_folder(database, period))
    store.write(_mark(period, plan), plan.encode())
    with database.writing() as books:
        insert_rows(
            books,
            split_batch,
            [*COLUMNS, "state", "attempts"],
            ((*astuple(batch), BATCH.start, 0) for batch in batches),
        )


def is_store_of(store: BillStore, batch: Batch) -> bool:
    """Tell whether a store is the one in which the machine that closes looks for the bills."""
    try:
        return store.read(_mark(batch.period, batch.plan)) == batch.plan.encode()
    except FileNotFoundError:
        return False


def list_batches(database: Database, period: str) -> list[BatchStatus]:
    """Return how the batches of a run stand, in their order."""
    columns = (
        "number", "bills", "pages", "state", "attempts", "lease_owner", "started_at", "finished_at",
    )  # fmt: skip
    query = (
        sa.select(*(split_batch.c[name] for name in columns))
        .where(split_batch.c.period == period)
        .order_by(split_batch.c.number)
    )
    with database.reading() as books:
        return [BatchStatus(*row) for row in books.execute(query)]


def texts_of(database: Database, batch: Batch) -> list[str]:
    """Return the orders of all batches of a batch's bulk file."""
    query = sa.select(split_batch.c.orders).where(
        split_batch.c.period == batch.period,
        split_batch.c.bulk == batch.bulk,
        split_batch.c.plan == batch.plan,
    )
    with database.reading() as books:
        return list(books.execute(query).scalars())


def filed_by_bulk(database: Database, period: str, files: Sequence[StagedFile]) -> dict[int, Filed]:
    """Gather what became of each bulk file's bills, in the order of their pages."""
    query = (
        sa.select(split_batch.c.orders, split_batch.c.outcome)
        .where(split_batch.c.period == period)
        .order_by(split_batch.c.number)
    )
    gathered = {}
    with database.reading() as books:
        for file in files:
            rows = books.execute(query.where(split_batch.c.bulk == file.bulk)).all()
            parts = [outcome_from_text(row.orders, row.outcome, file) for row in rows]
            gathered[file.bulk] = Filed(
                tuple(outcome for part in parts for outcome in part.outcomes),
                sum(part.read_back for part in parts),
                sum(part.audited for part in parts),
            )
    return gathered


def forget_batches(database: Database, period: str) -> None:
    """Take back what is offered of a run, because this machine does it alone."""
    with database.writing() as books:
        books.execute(split_batch.delete().where(split_batch.c.period == period))


def _mark(period: str, plan: str) -> str:
    return f"{period}/{plan[:PLAN_SIGNS]}/plan"
