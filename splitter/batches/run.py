"""Splitting a bill run in batches: planned here, made on any machine, gathered here."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.exc import OperationalError

from database.books import Database
from database.queries.bills import bill_folder
from domain.bills import PageAssignment
from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from domain.words import say_count
from splitter.batches.claims import (
    claim,
    filed_by_bulk,
    is_store_of,
    list_batches,
    mark_done,
    next_free,
    put_back,
    record_batches,
    renew,
    texts_of,
)
from splitter.batches.plan import (
    PLAN_SIGNS,
    Batch,
    BatchTerms,
    Work,
    bills_in,
    cut_into_batches,
    plan_of,
    read_work,
)
from splitter.bulk_file.splitting import Filed, Splitting
from splitter.copying.verifying import ForeignAccounts
from splitter.runs.known_customers import known_accounts
from splitter.runs.labels import labels_of
from splitter.runs.records import StagedFile, fetch_documents, record_pages_and_bills, staged_files
from splitter.runs.split import (
    Progress,
    SplitCounts,
    count_split,
    numbered,
    prefix_of,
    reading_run,
    with_tags,
)
from splitter.runs.tags import tag_problems
from splitter.store.bill_store import BillStore
from splitter.workers.parent import Closing

RENEW_SECONDS = 20.0


class BatchWorker(Closing):
    """
    One process that makes batches, with its own copy of the bulk file and its own workers.

    What it makes is decided by the plan alone, so a batch made twice is the same files and the
    same answer. What it held when it is killed somebody else makes; what was taken from it because
    it was silent for too long it stops making. Close it, or use it in a `with`.
    """

    def __init__(
        self,
        database: Database,
        store: BillStore,
        exports_folder: Path,
        *,
        owner: str,
        release: str,
        processes: int | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._exports_folder = exports_folder
        self._owner = owner
        self._release = release
        self._processes = processes
        self._opened: tuple[tuple[str, int], Splitting, ForeignAccounts] | None = (
            None  # plan and file
        )

    def close(self) -> None:
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def make_one(self, period: str | None = None, number: int | None = None) -> Batch | None:
        """
        Make a batch that waits: any, or one of a run; None where there is none for it.

        Where it cannot (the disk is full, the store does not answer) the batch waits for the next
        one and the failure goes up.
        """
        batch = claim(self._database, self._owner, self._release, period=period, number=number)
        if batch is None:
            return None
        try:
            with self._holding(batch) as still_held:
                filed = self._made(batch, still_held)
        except BaseException:
            put_back(self._database, batch, self._owner)
            raise
        mark_done(self._database, batch, self._owner, filed)
        return batch

    def next_of(self, period: str) -> int | None:
        """Return a batch of a run that nobody works on, to be made by its number."""
        return next_free(self._database, period, self._release)

    def _made(self, batch: Batch, still_held: threading.Event) -> Filed:
        def require_held(_pieces: int) -> None:
            if not still_held.is_set():
                raise TemporaryFailure(
                    f"Batch {batch.number} of {batch.period} was taken over: this machine was "
                    "silent."
                )

        work = read_work(batch.orders)
        splitting, foreign_accounts = self._open(batch, work)
        return splitting.file_orders(
            work.orders,
            self._store,
            foreign_accounts=foreign_accounts,
            by_ocr=work.by_ocr,
            progress=require_held,
            verification_policy=work.verification_policy,
            labels=work.labels,
        )

    def _open(self, batch: Batch, work: Work) -> tuple[Splitting, ForeignAccounts]:
        """Open the bulk file of a batch, which stays open for the batches that follow."""
        key = (batch.plan, batch.bulk)
        if self._opened is None or self._opened[0] != key:
            self.close()
            self._require_same_store(batch)
            fetch_documents(self._database, batch.period, self._store, self._exports_folder)
            files = staged_files(self._database, batch.period, self._exports_folder)
            file = next((file for file in files if file.bulk == batch.bulk), None)
            if file is None:
                raise TemporaryFailure(f"{batch.period} has been imported anew.")
            splitting = Splitting(file.path, file.patterns, processes=self._processes, ocr=work.ocr)
            bills = bills_in(texts_of(self._database, batch))
            known = known_accounts(self._database, batch.period)
            self._opened = (key, splitting, splitting.foreign_accounts_of(bills, known.values()))
        return self._opened[1:]

    def _require_same_store(self, batch: Batch) -> None:
        if not is_store_of(self._store, batch):
            raise Misuse(
                "bills.store of this machine is not that of the machine that closes "
                f"{batch.period}; give both the same one.",
                "other-store",
            )

    @contextmanager
    def _holding(self, batch: Batch) -> Iterator[threading.Event]:
        """Renew the lease while the work goes on; the event is cleared when it is lost."""
        still_held, ended = threading.Event(), threading.Event()
        still_held.set()

        def keep() -> None:
            while not ended.wait(RENEW_SECONDS):
                try:
                    held = renew(self._database, batch, self._owner)
                except OperationalError:  # the books are away, or busy: the next turn asks again
                    continue
                if not held:
                    still_held.clear()
                    return

        keeper = threading.Thread(target=keep, name="lease", daemon=True)
        keeper.start()
        try:
            yield still_held
        finally:
            ended.set()
            keeper.join()


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """Whose each page of a run is; the batches of its bills are in the books."""

    period: str
    files: list[StagedFile]
    assignments: list[PageAssignment]

    @property
    def all_pages(self) -> int:
        set_aside = sum(
            len(found.separators) + len(found.dropped) + len(found.unassigned)
            for found in self.assignments
        )
        return self.bill_pages + set_aside

    @property
    def bill_pages(self) -> int:
        """Count the pages that are to be copied."""
        return sum(len(bill.pages) for found in self.assignments for bill in found.bills)


def plan_run(
    database: Database,
    period: str,
    store: BillStore,
    terms: BatchTerms,
    *,
    exports_folder: Path,
    processes: int | None,
    progress: Progress,
    reports_only: bool = False,
) -> PlannedRun:
    """
    Find out on this machine which page belongs to whom, and offer the bills in batches.

    Done anew, after a kill, it finds the same and keeps what has been made. Raises Refused for a
    file that is not sound.
    """
    with reading_run(
        database, period, exports_folder=exports_folder, processes=processes, ocr=terms.ocr,
        progress=progress, reports_only=reports_only,
        passes=2,  # read here, copied by whoever makes the batches
    ) as read:  # fmt: skip
        files, assignments = read.files, read.assignments
    plan = plan_of(period, files, assignments, terms)
    folder = bill_folder(database, period)
    prefixes = [
        prefix_of(folder, file, files).replace(f"{folder}/", f"{folder}/{plan[:PLAN_SIGNS]}/", 1)
        for file in files
    ]
    labels = labels_of(database, period, files, terms.labels)
    batches = cut_into_batches(period, plan, files, assignments, prefixes, terms, labels)
    record_batches(database, period, plan, batches, store)
    return PlannedRun(period, files, assignments)


def require_made(database: Database, period: str) -> bool:
    """
    Tell whether all batches of a run are made.

    Raises PermanentFailure where one ended every process that took it.
    """
    found = list_batches(database, period)
    failed = [str(batch.number) for batch in found if not batch.is_open and not batch.finished_at]
    if failed:
        raise PermanentFailure(
            f"Batch {', '.join(failed)} of {period} has ended every process that took it; see "
            "whether memory or disk run out there, or set workers.task_runner to threads, and "
            "close again."
        )
    return not any(batch.is_open for batch in found)


def gather_run(database: Database, planned: PlannedRun) -> SplitCounts:
    """Write down every page and every bill; the batches have done their duty then."""
    gathered = filed_by_bulk(database, planned.period, planned.files)
    filed = [(bulk, filed_bill) for bulk, part in gathered.items() for filed_bill in part.bills]
    problems = [problem for part in gathered.values() for problem in part.problems]
    untagged = [
        problem
        for file in planned.files
        for problem in tag_problems(file, gathered[file.bulk].tagging)
    ]
    planned_bills = sum(len(found.bills) for found in planned.assignments)
    if len(filed) + len(problems) != planned_bills:
        raise PermanentFailure(
            f"The batches of {planned.period} account for {len(filed) + len(problems):,} of "
            f"{say_count(planned_bills, 'bill')}; close again."
        )
    with database.writing() as books:
        record_pages_and_bills(
            books, planned.period, planned.files, planned.assignments, numbered(filed),
            [*problems, *untagged],
        )  # fmt: skip
    counts = replace(
        count_split(planned.assignments, filed, problems),
        read_back=sum(part.read_back for part in gathered.values()),
        audited=sum(part.audited for part in gathered.values()),
    )
    return with_tags(counts, sum((part.tagging for part in gathered.values()), Counter()))
