"""Splitting a bill run: its bulk files become bills in the store and rows in the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.engine import Connection

from database.books import Database
from database.queries.bills import bill_folder
from domain.accounts import account_key
from domain.bills import BillRange, PageAssignment, Tagging
from domain.problems import Problem
from splitter.association.knowledge import Knowledge
from splitter.bulk_file.filing import FiledBill
from splitter.bulk_file.splitting import EVERY_COPY, Splitting
from splitter.copying.verifying import VerificationPolicy
from splitter.runs.expected_bills import accounts_without_bill, orders_of_accounts
from splitter.runs.known_customers import known_customers
from splitter.runs.labels import USUAL_LABELS, LabelTerms, labels_of
from splitter.runs.missing_bills import hold_beside_missing
from splitter.runs.page_rulings import rulings_of
from splitter.runs.records import (
    StagedFile,
    record_pages_and_bills,
    staged_files,
    unfold_documents,
)
from splitter.runs.tags import source_tagging, tag_problems
from splitter.store.bill_store import BillStore

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ReadRun:
    """A run's bulk files, opened and read; `add` tells of further pages that were worked on."""

    files: list[StagedFile]
    splittings: list[Splitting]
    assignments: list[PageAssignment]
    knowledge: Knowledge
    add: Callable[[int], None]


@contextmanager
def reading_run(
    database: Database,
    period: str,
    *,
    exports_folder: Path,
    processes: int | None,
    ocr: bool,
    progress: Progress,
    passes: int,
    reports_only: bool = False,
    by_engines: bool = False,
) -> Iterator[ReadRun]:
    """
    Open all bulk files of a run and find out whose each page is; `passes`: how often it is touched.

    `by_engines` as in Splitting.plan.

    All are opened first: one that is not sound is Refused before any work.
    """
    unfold_documents(database, period, exports_folder)
    files = staged_files(database, period, exports_folder)
    known = known_customers(database, period)
    with ExitStack() as opened:
        splittings = [
            opened.enter_context(Splitting(file.path, file.patterns, processes=processes, ocr=ocr))
            for file in files
        ]
        total = _Total(sum(splitting.pages for splitting in splittings) * passes, progress)
        assignments = [
            splitting.plan(
                progress=total.add,
                knowledge=known,
                rulings=rulings_of(database, file),
                reports_only=reports_only,
                by_engines=by_engines,
            )
            for splitting, file in zip(splittings, files, strict=True)
        ]
        with database.reading() as books:
            held = _held_beside_missing(books, period, files, assignments, reports_only)
        yield ReadRun(files, splittings, held, known, total.add)


def _held_beside_missing(
    books: Connection,
    period: str,
    files: list[StagedFile],
    assignments: list[PageAssignment],
    reports_only: bool,
) -> list[PageAssignment]:
    """Hold the pages that may be those of a bill whose first page is lost."""
    bills = [
        found for file, found in zip(files, assignments, strict=True) if not file.holds_notices
    ]
    missing = accounts_without_bill(books, period, bills)
    if not missing:
        return assignments
    orders = orders_of_accounts(books, period)
    return [
        found
        if file.holds_notices
        else hold_beside_missing(found, missing, orders, reports_only=reports_only)
        for file, found in zip(files, assignments, strict=True)
    ]


class _Total:
    """Turns the pieces that several workers report into one running total."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total = total
        self._done = 0
        self._progress = progress

    def add(self, pieces: int) -> None:
        self._done += pieces
        self._progress(min(self._done, self._total), self._total)


@dataclass(frozen=True, slots=True)
class SplitCounts:
    pages: int
    bills: int
    separators: int
    unassigned: int
    problems: int
    read_back: int = 0  # copies; none where nothing is written
    audited: int = 0  # copies, in full
    by_ocr: int = 0  # pages
    tagged: int = 0  # bills that kept the tags of their source
    tags_lost: int = 0  # bills whose source is tagged, and which go out without


def split_run(
    database: Database,
    period: str,
    store: BillStore,
    *,
    exports_folder: Path,
    processes: int | None,
    progress: Progress,
    verification_policy: VerificationPolicy = EVERY_COPY,
    ocr: bool = False,
    reports_only: bool = False,
    labels: LabelTerms = USUAL_LABELS,
) -> SplitCounts:
    """
    Split all bulk files of a run and write down every page and every bill (rules 11-13).

    Done anew it gives the same files and rows. Nothing shows before the close: a bill is visible
    when its run is closed. With `ocr` pages that are only a picture are read as well; such a page
    counts only if it names one of the run's accounts. With `reports_only` a page that something
    speaks against stays in the bill before it, and a check names it. Raises Refused for a file that
    is not sound.
    """
    folder = bill_folder(database, period)
    filed: list[tuple[int, FiledBill]] = []
    copy_problems: list[Problem] = []
    untagged: list[Problem] = []
    tagging: Counter[Tagging] = Counter()
    read_back = audited = 0
    with reading_run(
        database, period, exports_folder=exports_folder, processes=processes, ocr=ocr,
        progress=progress, passes=2, reports_only=reports_only,  # read once, copied once
        by_engines=verification_policy.reads_back_all,
    ) as read:  # fmt: skip
        store.delete_run(folder)
        titles = labels_of(database, period, read.files, labels)
        for file, splitting, assignment, title in zip(
            read.files, read.splittings, read.assignments, titles, strict=True
        ):
            prefix = prefix_of(folder, file, read.files)
            outcome = splitting.file_bills(
                assignment, store, prefix=prefix, progress=read.add,
                verification_policy=verification_policy,
                known=read.knowledge.accounts.values(), labels=title,
            )  # fmt: skip
            filed += [(file.bulk, found) for found in outcome.bills]
            copy_problems += outcome.problems
            untagged += tag_problems(file, outcome.tagging)
            tagging += outcome.tagging
            read_back += outcome.read_back
            audited += outcome.audited
    with database.writing() as books:
        record_pages_and_bills(
            books, period, read.files, read.assignments, numbered(filed),
            [*copy_problems, *untagged],
        )  # fmt: skip
    counts = count_split(read.assignments, filed, copy_problems)
    return with_tags(replace(counts, read_back=read_back, audited=audited), tagging)


def read_run(
    database: Database,
    period: str,
    *,
    exports_folder: Path,
    processes: int | None,
    progress: Progress,
    ocr: bool = False,
    reports_only: bool = False,
) -> SplitCounts:
    """Find out which page belongs to whom, for the checks, without writing any document."""
    with reading_run(
        database, period, exports_folder=exports_folder, processes=processes, ocr=ocr,
        progress=progress, passes=1, reports_only=reports_only,
    ) as read:  # fmt: skip
        files, assignments = read.files, read.assignments
        untagged = [
            problem
            for file, splitting, assignment in zip(files, read.splittings, assignments, strict=True)
            for problem in tag_problems(
                file, source_tagging(len(assignment.bills), is_tagged=splitting.is_tagged)
            )
        ]
    found = [
        (file.bulk, _unfiled(file, bill_range, number))
        for file, assignment in zip(files, assignments, strict=True)
        for number, bill_range in enumerate(assignment.bills)
    ]
    with database.writing() as books:
        record_pages_and_bills(books, period, files, assignments, numbered(found), untagged)
    return count_split(assignments, found, [])


def prefix_of(folder: str, file: StagedFile, files: list[StagedFile]) -> str:
    """A form with several bulk files gets a folder for each, so that no name is taken twice."""
    same_form = [other.bulk for other in files if other.patterns.form == file.patterns.form]
    place = same_form.index(file.bulk) + 1
    return f"{folder}/{file.patterns.form}" + (f"-{place}" if place > 1 else "")


def _unfiled(file: StagedFile, found: BillRange, number: int) -> FiledBill:
    return FiledBill(
        account=found.account,
        ordinal=1,
        form=file.patterns.form,
        pages=len(found.pages),
        first_page=found.pages[0],
        amount_due=found.amount_due,
        due_on=found.due_on,
        path=f"(not written) {file.bulk}/{number}",
        sha256="",
        bytes=0,
    )


def numbered(filed: Iterable[tuple[int, FiledBill]]) -> Iterator[tuple[int, FiledBill]]:
    """Number an account's bills of one form over all bulk files; a second one is a defect."""
    seen: Counter[tuple[str, str]] = Counter()
    for bulk, found in filed:
        seen[found.form, account_key(found.account)] += 1
        yield bulk, replace(found, ordinal=seen[found.form, account_key(found.account)])


def with_tags(counts: SplitCounts, tagging: Mapping[Tagging, int]) -> SplitCounts:
    lost = tagging.get(Tagging.INCOMPLETE, 0) + tagging.get(Tagging.UNREADABLE, 0)
    return replace(counts, tagged=tagging.get(Tagging.KEPT, 0), tags_lost=lost)


def count_split(
    assignments: list[PageAssignment], filed: list[tuple[int, FiledBill]], problems: list[Problem]
) -> SplitCounts:
    separators = sum(len(found.separators) + len(found.dropped) for found in assignments)
    unassigned = sum(len(found.unassigned) for found in assignments)
    billed = sum(len(found.pages) for part in assignments for found in part.bills)
    return SplitCounts(
        billed + separators + unassigned,
        len(filed),
        separators,
        unassigned,
        len(problems),
        by_ocr=sum(len(found.by_ocr) for found in assignments),
    )
