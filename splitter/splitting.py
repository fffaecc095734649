"""The procedure: a bulk file is read, shared out, copied, read back and filed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from domain.bills import PageAssignment, UnassignedPage
from domain.periods import BulkFile
from domain.problems import Problem
from splitter.copying import BillCopier
from splitter.filing import BillStore
from splitter.filing_bills import FiledBill, Filer
from splitter.patterns import compile_patterns
from splitter.ranges import assign_pages
from splitter.reading import Progress, processors, read_pages


@dataclass(frozen=True, slots=True)
class SplitOutcome:
    """What became of every page of a bulk file."""

    pages: int
    bills: tuple[FiledBill, ...]
    separators: tuple[int, ...]
    unassigned: tuple[UnassignedPage, ...]
    problems: tuple[Problem, ...]


def split(
    path: Path,
    bulk: BulkFile,
    store: BillStore,
    *,
    prefix: str,
    processes: int | None = None,
    progress: Progress | None = None,
) -> SplitOutcome:
    """
    File one document for each bill of a bulk file (rules 11-13), below a prefix of the store.

    Split again, the same file gives the same bytes under the same names. Raises Refused
    (pdf-unreadable) for a file that is not sound and Misuse for patterns that cannot work.
    """
    assignment = plan(path, bulk, processes=processes, progress=progress)
    return file_bills(path, bulk, assignment, store, prefix=prefix, processes=processes)


def plan(
    path: Path,
    bulk: BulkFile,
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> PageAssignment:
    """Read a bulk file and say to whom each page belongs; nothing is written."""
    patterns = compile_patterns(bulk)
    return assign_pages(read_pages(path, patterns, processes=processes, progress=progress))


def file_bills(
    path: Path,
    bulk: BulkFile,
    assignment: PageAssignment,
    store: BillStore,
    *,
    prefix: str,
    processes: int | None = None,
    progress: Progress | None = None,
    verify_every: int = 1,
) -> SplitOutcome:
    """
    Copy, read back and file the bills of an assignment.

    A copy that does not show what it must is not filed and becomes a problem (bill-copy).
    `verify_every` = 10 reads back every tenth bill alone. `progress` is called with the number of
    pages done since it was called last.
    """
    filer = Filer(bulk, compile_patterns(bulk), assignment, store, prefix, verify_every)
    copier = BillCopier(path)
    outcomes: list[FiledBill | Problem] = []
    for outcome in filer.file_all(copier, processes or processors()):
        outcomes.append(outcome)
        if progress is not None:
            progress(len(assignment.bills[len(outcomes) - 1].pages))

    return SplitOutcome(
        pages=copier.pages,
        bills=tuple(outcome for outcome in outcomes if isinstance(outcome, FiledBill)),
        separators=assignment.separators,
        unassigned=assignment.unassigned,
        problems=tuple(outcome for outcome in outcomes if isinstance(outcome, Problem)),
    )
