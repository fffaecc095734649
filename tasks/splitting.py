"""Step: split the bulk bills."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from database.audit import record_audit
from database.owners import describe
from database.runs import finished_step, get_run, move_run
from domain.batches import BatchState
from domain.failures import Refused
from domain.steps import Step
from domain.words import say_count
from office.equipment.office import Office, current_office
from office.prefect_server.task_runner import (
    batch_worker,
    dask_runner,
    is_shared,
    worker_of_this_machine,
)
from splitter.batches.claims import BatchStatus, forget_batches, list_batches
from splitter.batches.plan import BatchTerms
from splitter.batches.run import BatchWorker, PlannedRun, gather_run, plan_run, require_made
from splitter.copying.verifying import say_verification
from splitter.runs.records import share_documents, staged_files
from splitter.runs.split import SplitCounts, read_run, split_run
from tasks.steps.artifacts import slug
from tasks.steps.step import Done, progress_of, step

POLL_SECONDS = 0.5
STALL_SECONDS = 60.0  # more than a worker takes to start

Progress = Callable[[int, int], None]


def split_in_batches(office: Office, period: str) -> SplitCounts:
    """
    Split a run with whoever helps: Dask's workers, or each machine on which `billclose work` runs.

    The books hold who works on what, so Dask only says who begins: what its workers lose, or never
    got, is made by this process, which goes on claiming until nothing is left.
    """
    if is_shared(office):
        share_documents(office.database, period, office.store, office.exports_folder)
    progress = progress_of(Step.SPLIT, period)
    planned = plan_run(
        office.database,
        period,
        office.store,
        _terms(office),
        exports_folder=office.exports_folder,
        processes=office.settings.splitter.processes or None,
        progress=progress,
        reports_only=_reports_only(office),
    )
    if office.settings.workers.task_runner == "dask":
        _hand_out(office, planned, progress)
    _make_the_rest(office, planned, progress)
    show_batches(period, list_batches(office.database, period))
    return gather_run(office.database, planned)


@task(
    name="cut",
    task_run_name="cut {number:03d}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def cut_on_dask(period: str, number: int) -> bool:
    """
    Make a batch on whichever machine this runs; one that somebody else has is left to them.

    After its machine died Dask runs it on another one, where the batch is claimed anew as soon as
    the dead one's lease is over.
    """
    with worker_of_this_machine() as worker:
        return worker.make_one(period, number) is not None


@task(
    name="cut",
    task_run_name="cut {number:03d}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def cut_here(worker: BatchWorker, period: str, number: int) -> bool:
    """Make a batch with this process's own worker; False: somebody else was faster."""
    return worker.make_one(period, number) is not None


def show_batches(period: str, batches: list[BatchStatus]) -> None:
    """Show who made which batch: machines and counts, nothing of a customer."""
    create_table_artifact(
        key=f"batches-{slug(period)}",
        table=[_row(batch) for batch in batches],
        description=f"Who split period {period}",
    )


def _terms(office: Office) -> BatchTerms:
    return BatchTerms(
        office.version,
        office.verification_policy,
        office.settings.splitter.ocr,
        office.settings.workers.batch_bills,
        office.label_terms,
    )


def _hand_out(office: Office, planned: PlannedRun, progress: Progress) -> None:
    """
    Give what is open to Dask, and wait while it gets on.

    Whatever becomes of the scheduler and its workers, this comes to an end: where nobody begins or
    ends a batch for a while, the rest is made here.
    """
    with dask_runner(office) as runner:
        futures = [
            runner.submit(cut_on_dask, {"period": planned.period, "number": batch.number})
            for batch in list_batches(office.database, planned.period)
            if batch.is_open
        ]
        before, moved_at = _movement(office, planned), time.monotonic()
        for future in futures:
            while not future.wrapped_future.done():
                _report(office, planned, progress)
                future.wait(POLL_SECONDS)
                now = _movement(office, planned)
                if now != before or BatchState.TAKEN in now:
                    before, moved_at = now, time.monotonic()
                elif time.monotonic() - moved_at > STALL_SECONDS:
                    get_run_logger().warning("Dask makes no batch of %s", planned.period)
                    return


def _movement(office: Office, planned: PlannedRun) -> list[BatchState]:
    return [batch.state for batch in list_batches(office.database, planned.period)]


def _make_the_rest(office: Office, planned: PlannedRun, progress: Progress) -> None:
    """Make what nobody has taken, and wait for what somebody has."""
    period = planned.period
    with batch_worker(office.home, office.settings) as worker:
        while not require_made(office.database, period):
            _report(office, planned, progress)
            number = worker.next_of(period)
            if number is None:
                time.sleep(POLL_SECONDS)
            else:
                cut_here(worker, period, number)
    _report(office, planned, progress)


def _report(office: Office, planned: PlannedRun, progress: Progress) -> None:
    """Count pages read and pages copied, whoever copied them."""
    found = list_batches(office.database, planned.period)
    made = sum(batch.pages for batch in found if batch.state is BatchState.DONE)
    progress(planned.all_pages + made, planned.all_pages + planned.bill_pages)


def _row(batch: BatchStatus) -> dict[str, Any]:
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


@step(Step.SPLIT, once=True)
def split_bulk_bills(period: str) -> Done:
    """File one document for each bill, every page accounted for once (rules 11-13)."""
    office = current_office()
    known = get_run(office.database, period).period
    is_alone = office.settings.workers.task_runner == "threads" or office.rehearses
    with _refusing(office, period):
        counts = _split_alone(office, known) if is_alone else split_in_batches(office, known)
    return Done(_sentence(counts), asdict(counts))


@step(Step.READ)
def read_bulk_bills(period: str) -> Done:
    """Find out which page belongs to whom, so that the checks can look; nothing is written."""
    office = current_office()
    if finished_step(office.database, period, Step.SPLIT) is not None:
        return Done("split before")
    with _refusing(office, period):
        counts = read_run(
            office.database,
            get_run(office.database, period).period,
            exports_folder=office.exports_folder,
            processes=office.settings.splitter.processes or None,
            progress=progress_of(Step.READ, period),
            ocr=office.settings.splitter.ocr,
            reports_only=_reports_only(office),
        )
    return Done(_sentence(counts), asdict(counts))


def _split_alone(office: Office, period: str) -> SplitCounts:
    forget_batches(office.database, period)  # of a close that was begun with other machines
    return split_run(
        office.database,
        period,
        office.store,
        exports_folder=office.exports_folder,
        processes=office.settings.splitter.processes or None,
        progress=progress_of(Step.SPLIT, period),
        verification_policy=office.verification_policy,
        ocr=office.settings.splitter.ocr,
        reports_only=_reports_only(office),
        labels=office.label_terms,
    )


def _reports_only(office: Office) -> bool:
    return office.settings.splitter.doubted_pages == "report"


@contextmanager
def _refusing(office: Office, period: str) -> Iterator[None]:
    """Note that a bulk file is not sound, so that a corrected export may take its place."""
    try:
        yield
    except Refused as refusal:
        known = get_run(office.database, period)
        message = _named_as_exported(office, period, refusal.message)
        with office.database.writing() as books:
            move_run(books, period, "refused")
            record_audit(books, office.now(known), office.who, "refuse", period, message)
        raise Refused(refusal.code, message) from None


def _named_as_exported(office: Office, period: str, message: str) -> str:
    """Call a staged file what the clerk knows it by."""
    for file in staged_files(office.database, period, office.exports_folder):
        if message.startswith(f"{file.path.name} "):
            return file.patterns.file + message.removeprefix(file.path.name)
    return message


def _sentence(counts: SplitCounts) -> str:
    sentence = f"{say_count(counts.pages, 'page')}, {say_count(counts.bills, 'bill')}"
    if counts.separators:
        sentence += f", {say_count(counts.separators, 'separator')}"
    if counts.unassigned:
        sentence += f", {counts.unassigned} unassigned"
    if counts.by_ocr:
        sentence += f", {say_count(counts.by_ocr, 'page')} read by OCR"
    if counts.tagged:
        sentence += f", {say_count(counts.tagged, 'bill')} with tags"
    if counts.tags_lost:
        sentence += f", {say_count(counts.tags_lost, 'bill')} without their tags"
    if counts.read_back or counts.audited:
        sentence += f"; {say_verification(counts.read_back, counts.audited)}"
    return sentence
