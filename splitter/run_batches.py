"""Splitting a bill run in batches: planned here, made on any machine, gathered here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from database.books import Database
from domain.bills import PageAssignment
from domain.failures import PermanentFailure
from domain.problems import Problem
from domain.words import say_count
from splitter.batch_plan import PLAN_SIGNS, Terms, cut_into_batches, plan_of
from splitter.batches import filed_by_bulk, record_batches, standing
from splitter.filing import BillStore
from splitter.filing_bills import FiledBill
from splitter.run_bills import SplitCounts, count_split, numbered, prefix_of
from splitter.run_reading import Progress, reading_run
from splitter.run_records import StagedFile, record_pages_and_bills


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """Whose each page of a run is; the batches of its bills are in the books."""

    run: str
    files: list[StagedFile]
    assignments: list[PageAssignment]

    @property
    def all_pages(self) -> int:
        set_aside = sum(len(found.separators) + len(found.unassigned) for found in self.assignments)
        return self.bill_pages + set_aside

    @property
    def bill_pages(self) -> int:
        """Count the pages that are to be copied."""
        return sum(len(bill.pages) for found in self.assignments for bill in found.bills)


def plan_run(
    database: Database,
    run: str,
    store: BillStore,
    terms: Terms,
    *,
    exports_folder: Path,
    processes: int | None,
    progress: Progress,
) -> PlannedRun:
    """
    Find out on this machine which page belongs to whom, and offer the bills in batches.

    Done anew, after a kill, it finds the same and keeps what has been made. Raises Refused for a
    file that is not sound.
    """
    with reading_run(
        database, run, exports_folder=exports_folder, processes=processes, ocr=terms.ocr,
        progress=progress, passes=2,  # read here, copied by whoever makes the batches
    ) as read:  # fmt: skip
        files, assignments = read.files, read.assignments
    plan = plan_of(run, files, assignments, terms)
    prefixes = [
        prefix_of(run, file, files).replace(f"{run}/", f"{run}/{plan[:PLAN_SIGNS]}/", 1)
        for file in files
    ]
    batches = cut_into_batches(files, assignments, prefixes, terms)
    record_batches(database, run, plan, terms.release, batches, store)
    return PlannedRun(run, files, assignments)


def require_made(database: Database, run: str) -> bool:
    """
    Tell whether all batches of a run are made.

    Raises PermanentFailure where one ended every process that took it.
    """
    found = standing(database, run)
    failed = [str(batch.number) for batch in found if not batch.is_open and not batch.finished_at]
    if failed:
        raise PermanentFailure(
            f"Batch {', '.join(failed)} of {run} has ended every process that took it; see whether "
            "memory or disk run out there, or set workers.task_runner to threads, and close again."
        )
    return not any(batch.is_open for batch in found)


def gather_run(database: Database, planned: PlannedRun) -> SplitCounts:
    """Write down every page and every bill; the batches have done their duty then."""
    gathered = filed_by_bulk(database, planned.run, planned.files)
    filed = [
        (bulk, outcome)
        for bulk, part in gathered.items()
        for outcome in part.outcomes
        if isinstance(outcome, FiledBill)
    ]
    problems = [
        outcome
        for part in gathered.values()
        for outcome in part.outcomes
        if isinstance(outcome, Problem)
    ]
    planned_bills = sum(len(found.bills) for found in planned.assignments)
    if len(filed) + len(problems) != planned_bills:
        raise PermanentFailure(
            f"The batches of {planned.run} account for {len(filed) + len(problems):,} of "
            f"{say_count(planned_bills, 'bill')}; close again."
        )
    with database.writing() as books:
        record_pages_and_bills(
            books, planned.run, planned.files, planned.assignments, numbered(filed), problems
        )
    return replace(
        count_split(planned.assignments, filed, problems),
        read_back=sum(part.read_back for part in gathered.values()),
        audited=sum(part.audited for part in gathered.values()),
    )
