"""Reading the bulk files of a run: whose each page is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from database.books import Database
from domain.bills import PageAssignment
from splitter.run_records import StagedFile, known_accounts, staged_files
from splitter.splitting import Splitting

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ReadRun:
    """A run's bulk files, opened and read; `add` tells of further pages that were worked on."""

    files: list[StagedFile]
    splittings: list[Splitting]
    assignments: list[PageAssignment]
    add: Callable[[int], None]


@contextmanager
def reading_run(
    database: Database,
    run: str,
    *,
    exports_folder: Path,
    processes: int | None,
    ocr: bool,
    progress: Progress,
    passes: int,
) -> Iterator[ReadRun]:
    """
    Open all bulk files of a run and find out whose each page is; `passes`: how often it is touched.

    All are opened first: one that is not sound is Refused before any work.
    """
    files = staged_files(database, run, exports_folder)
    known = known_accounts(database, run) if ocr else None
    with ExitStack() as opened:
        splittings = [
            opened.enter_context(Splitting(file.path, file.patterns, processes=processes, ocr=ocr))
            for file in files
        ]
        total = _Total(sum(splitting.pages for splitting in splittings) * passes, progress)
        assignments = [
            splitting.plan(progress=total.add, known_accounts=known) for splitting in splittings
        ]
        yield ReadRun(files, splittings, assignments, total.add)


class _Total:
    """Turns the pieces that several workers report into one running total."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total = total
        self._done = 0
        self._progress = progress

    def add(self, pieces: int) -> None:
        self._done += pieces
        self._progress(min(self._done, self._total), self._total)
