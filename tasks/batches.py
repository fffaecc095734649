"""Splitting on several machines: batches as tasks that Prefect shows, whoever makes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from database.owners import describe
from domain.batches import BatchState
from domain.steps import Step
from office.task_runner import (
    batch_worker,
    dask_runner,
    is_shared,
    worker_of_this_machine,
)
from office.wiring import Office
from splitter.batch_plan import Terms
from splitter.batch_worker import BatchWorker
from splitter.batches import Standing, standing
from splitter.documents import share_documents
from splitter.run_batches import PlannedRun, gather_run, plan_run, require_made
from splitter.run_bills import SplitCounts
from tasks.artifacts import slug
from tasks.progress import progress_of

POLL_SECONDS = 0.5
STALL_SECONDS = 60.0  # more than a worker takes to start

Progress = Callable[[int, int], None]


def split_in_batches(here: Office, run: str) -> SplitCounts:
    """
    Split a run with whoever helps: Dask's workers, or each machine on which `billclose work` runs.

    The books hold who works on what, so Dask only says who begins: what its workers lose, or never
    got, is made by this process, which goes on claiming until nothing is left.
    """
    if is_shared(here):
        share_documents(here.database, run, here.store, here.exports_folder)
    progress = progress_of(Step.SPLIT, run)
    planned = plan_run(
        here.database,
        run,
        here.store,
        _terms(here),
        exports_folder=here.exports_folder,
        processes=here.settings.splitter.processes or None,
        progress=progress,
    )
    if here.settings.workers.task_runner == "dask":
        _hand_out(here, planned, progress)
    _make_the_rest(here, planned, progress)
    show_batches(run, standing(here.database, run))
    return gather_run(here.database, planned)


@task(
    name="cut",
    task_run_name="cut {number:03d}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def cut_on_dask(run: str, number: int) -> bool:
    """
    Make a batch on whichever machine this runs; one that somebody else has is left to them.

    After its machine died Dask runs it on another one, where the batch is claimed anew as soon as
    the dead one's lease is over.
    """
    with worker_of_this_machine() as worker:
        return worker.make_one(run, number) is not None


@task(
    name="cut",
    task_run_name="cut {number:03d}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def cut_here(worker: BatchWorker, run: str, number: int) -> bool:
    """Make a batch with this process's own worker; False: somebody else was faster."""
    return worker.make_one(run, number) is not None


def show_batches(run: str, batches: list[Standing]) -> None:
    """Show who made which batch: machines and counts, nothing of a customer."""
    create_table_artifact(
        key=f"batches-{slug(run)}",
        table=[_row(batch) for batch in batches],
        description=f"Who split period {run}",
    )


def _terms(here: Office) -> Terms:
    return Terms(
        here.version,
        here.scrutiny,
        here.settings.splitter.ocr,
        here.settings.workers.batch_bills,
    )


def _hand_out(here: Office, planned: PlannedRun, progress: Progress) -> None:
    """
    Give what is open to Dask, and wait while it gets on.

    Whatever becomes of the scheduler and its workers, this comes to an end: where nobody begins or
    ends a batch for a while, the rest is made here.
    """
    with dask_runner(here) as runner:
        futures = [
            runner.submit(cut_on_dask, {"run": planned.run, "number": batch.number})
            for batch in standing(here.database, planned.run)
            if batch.is_open
        ]
        before, moved_at = _movement(here, planned), time.monotonic()
        for future in futures:
            while not future.wrapped_future.done():
                _report(here, planned, progress)
                future.wait(POLL_SECONDS)
                now = _movement(here, planned)
                if now != before or BatchState.TAKEN in now:
                    before, moved_at = now, time.monotonic()
                elif time.monotonic() - moved_at > STALL_SECONDS:
                    get_run_logger().warning("Dask makes no batch of %s", planned.run)
                    return


def _movement(here: Office, planned: PlannedRun) -> list[BatchState]:
    return [batch.state for batch in standing(here.database, planned.run)]


def _make_the_rest(here: Office, planned: PlannedRun, progress: Progress) -> None:
    """Make what nobody has taken, and wait for what somebody has."""
    run = planned.run
    with batch_worker(here.home, here.settings) as worker:
        while not require_made(here.database, run):
            _report(here, planned, progress)
            number = worker.next_of(run)
            if number is None:
                time.sleep(POLL_SECONDS)
            else:
                cut_here(worker, run, number)
    _report(here, planned, progress)


def _report(here: Office, planned: PlannedRun, progress: Progress) -> None:
    """Count pages read and pages copied, whoever copied them."""
    found = standing(here.database, planned.run)
    made = sum(batch.pages for batch in found if batch.state is BatchState.DONE)
    progress(planned.all_pages + made, planned.all_pages + planned.bill_pages)


def _row(batch: Standing) -> dict[str, Any]:
    seconds = (
        (batch.finished_at - batch.started_at).total_seconds()
        if batch.started_at and batch.finished_at
        else None
    )
    return {
        "batch": batch.number,
        "bills": batch.bills,
        "pages": batch.pages,
        "made by": describe(batch.owner or ""),
        "seconds": seconds,
        "attempts": batch.attempts,
    }
