"""The print batches of a closed run: one PDF a form, in the order of the post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from database.books import Database
from database.tables import print_batch
from splitter.filing import BillStore
from splitter.paper_lists import FIRST, Chosen, choose_first, choose_waiting, record_part
from splitter.print_batch import write_print_batch
from splitter.run_records import StagedFile, staged_files


@dataclass(frozen=True, slots=True)
class PrintPart:
    """What one part of a run's print batches holds: bills, pages, and the files written."""

    number: int
    bills: int
    pages: int
    files: tuple[str, ...]


def write_paper_bills(
    database: Database, run: str, folder: BillStore, *, exports_folder: Path, now: datetime
) -> PrintPart:
    """
    Write the close's own print batches and list what is in them.

    Every account that the delivery plan puts on paper is in them, and every bill that no mailbox
    took, in ZIP-code order. Written again they are the same files. The run must be closed: the
    list refers to the close.
    """
    chosen = choose_first(database, run)
    return _write_part(database, run, FIRST, chosen, folder, exports_folder, now)


def write_next_part(
    database: Database, run: str, folder: BillStore, *, exports_folder: Path, now: datetime
) -> PrintPart:
    """
    Write the bills that wait into a part of their own: those printed before stay as they are.

    Where none waits, nothing is written. Files first, books after: a kill between them leaves the
    bills waiting, and the same part is written again.
    """
    number = _last_part(database, run) + 1
    chosen = choose_waiting(database, run)
    if not chosen:
        return PrintPart(number, 0, 0, ())
    return _write_part(database, run, number, chosen, folder, exports_folder, now)


def last_later_part(database: Database, run: str) -> datetime | None:
    """Return when the run's newest part after the close's own was written, if there is one."""
    written_at = sa.select(sa.func.max(print_batch.c.written_at)).where(
        print_batch.c.run == run, print_batch.c.part > FIRST
    )
    with database.reading() as books:
        found: datetime | None = books.execute(written_at).scalar_one()
    return found


def _last_part(database: Database, run: str) -> int:
    last = sa.select(sa.func.max(print_batch.c.part)).where(print_batch.c.run == run)
    with database.reading() as books:
        return max(books.execute(last).scalar_one() or FIRST, FIRST)


def _write_part(
    database: Database,
    run: str,
    part: int,
    chosen: Chosen,
    folder: BillStore,
    exports_folder: Path,
    now: datetime,
) -> PrintPart:
    files = [file for file in staged_files(database, run, exports_folder) if file.bulk in chosen]
    batches = [
        (file, write_print_batch(file.path, [found for found, _ in chosen[file.bulk]], folder,
                                 path=_name(run, part, file)))
        for file in files
    ]  # fmt: skip
    with database.writing() as books:
        record_part(books, run, part, chosen, batches, now)
    return PrintPart(
        part,
        sum(batch.bills for _, batch in batches),
        sum(batch.pages for _, batch in batches),
        tuple(f"print/{batch.path}" for _, batch in batches),
    )


def _name(run: str, part: int, file: StagedFile) -> str:
    folder = run if part == FIRST else f"{run}/part-{part}"
    return f"{folder}/{file.patterns.form}-{file.bulk}.pdf"
