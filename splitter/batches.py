"""The batches of a run in the books: offered, how they stand, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from database.books import Database, insert_rows
from database.tables import split_batch
from domain.batches import BATCH, BatchState
from splitter.batch_claims import COLUMNS, Batch
from splitter.batch_plan import PLAN_SIGNS, BatchPlan, outcome_from_text
from splitter.filing import BillStore
from splitter.run_records import StagedFile
from splitter.splitting import Filed


@dataclass(frozen=True, slots=True)
class Standing:
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
    run: str,
    plan: str,
    release: str,
    batches: Sequence[BatchPlan],
    store: BillStore,
) -> None:
    """
    Offer a run's batches to whoever looks for work.

    Those of the same plan stay as they are: what is done is done, and what nobody could do is
    tried again. Those of another plan go, and what they have put into the store goes with them.
    """
    own = split_batch.c.run == run
    with database.writing() as books:
        plans = books.execute(sa.select(split_batch.c.plan).where(own).distinct()).scalars().all()
        if list(plans) == [plan]:
            again = BATCH.after(BatchState.FAILED, "tried again")
            failed = split_batch.c.state == BatchState.FAILED
            books.execute(split_batch.update().where(own, failed).values(state=again, attempts=0))
            return
        books.execute(split_batch.delete().where(own))
    store.delete_run(run)
    store.write(_mark(run, plan), plan.encode())
    with database.writing() as books:
        insert_rows(
            books,
            split_batch,
            [*COLUMNS, "state", "attempts"],
            (
                (run, batch.number, batch.bulk, plan, release, batch.bills, batch.pages,
                 batch.orders, BATCH.start, 0)
                for batch in batches
            ),
        )  # fmt: skip


def is_store_of(store: BillStore, batch: Batch) -> bool:
    """Tell whether a store is the one in which the machine that closes looks for the bills."""
    try:
        return store.read(_mark(batch.run, batch.plan)) == batch.plan.encode()
    except FileNotFoundError:
        return False


def standing(database: Database, run: str) -> list[Standing]:
    """Return how the batches of a run stand, in their order."""
    columns = (
        "number", "bills", "pages", "state", "attempts", "lease_owner", "started_at", "finished_at",
    )  # fmt: skip
    query = (
        sa.select(*(split_batch.c[name] for name in columns))
        .where(split_batch.c.run == run)
        .order_by(split_batch.c.number)
    )
    with database.reading() as books:
        return [Standing(*row) for row in books.execute(query)]


def texts_of(database: Database, batch: Batch) -> list[str]:
    """Return the orders of all batches of a batch's bulk file."""
    query = sa.select(split_batch.c.orders).where(
        split_batch.c.run == batch.run,
        split_batch.c.bulk == batch.bulk,
        split_batch.c.plan == batch.plan,
    )
    with database.reading() as books:
        return list(books.execute(query).scalars())


def filed_by_bulk(database: Database, run: str, files: Sequence[StagedFile]) -> dict[int, Filed]:
    """Gather what became of each bulk file's bills, in the order of their pages."""
    query = (
        sa.select(split_batch.c.orders, split_batch.c.outcome)
        .where(split_batch.c.run == run)
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


def forget_batches(database: Database, run: str) -> None:
    """Take back what is offered of a run, because this machine does it alone."""
    with database.writing() as books:
        books.execute(split_batch.delete().where(split_batch.c.run == run))


def _mark(run: str, plan: str) -> str:
    return f"{run}/{plan[:PLAN_SIGNS]}/plan"
