"""A rehearsal: the same office in a copy of its books, where nothing that happens stays."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import sqlalchemy as sa

from database.books import Database, insert_rows
from database.runs import find_run
from database.schema import metadata
from database.tables import audit, bulk_file, period_close, run_lock, run_step
from domain.failures import Misuse
from office.clock import Clock
from office.equipment.office import Office
from office.procedures.closing.checklist import current_sheet
from office.procedures.exceptions import exceptions_of
from reporting.report.approval_request import blocking_checks
from reporting.report.page import write_page
from splitter.runs.records import fetch_documents

# Who works on the real one, and what was done there: its files are not copied, so the rehearsal
# makes them anew.
LEFT_OUT = (run_lock, audit, run_step)


@contextmanager
def rehearsal(real: Office) -> Iterator[Office]:
    """
    Give a copy of an office to try a close in: same code, same figures, nothing leaves it.

    The books are copied into a database of their own, bills and print batches go to a folder that
    is removed in the end, and no mail is sent.
    """
    with _in_own_folder(lambda place: _copied(real, place)) as copy:
        yield copy


@contextmanager
def blank_rehearsal(real: Office, clock: Clock) -> Iterator[Office]:
    """Give an office of the same settings and templates with empty books, at another time."""
    with _in_own_folder(lambda place: _of_its_own(real, place, clock, "templates")) as copy:
        yield copy


@contextmanager
def _in_own_folder(make: Callable[[Path], Office]) -> Iterator[Office]:
    """Give an office that is made in a folder of its own; both are gone in the end."""
    place = Path(tempfile.mkdtemp(prefix="billclose-rehearsal-"))
    try:
        copy = make(place)
        try:
            yield copy
        finally:
            copy.database.close()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def write_rehearsal_report(copy: Office, period: str, place: Path, refusal: str = "") -> str:
    """
    Write the report of a rehearsal for its owner's eyes alone; return where it is, in words.

    The page names customers and needs no other file. `refusal` is the sentence of a guard that
    said no, before the checks ran or after they passed. Raises Misuse where the file cannot be
    written.
    """
    known = find_run(copy.database, period)
    if known is None:
        return "none: the export was not taken in"
    sheet = current_sheet(copy, period)
    try:
        write_page(
            place,
            sheet,
            exceptions_of(copy, period),
            written_at=copy.now(known).astimezone(UTC),
            version=copy.version,
            rehearsal=True,
            refusal="" if blocking_checks(sheet) else refusal,
        )
    except OSError as wrong:
        raise Misuse(f"The report cannot be written to {place}: {wrong.strerror}.") from None
    return str(place)


def _copied(real: Office, place: Path) -> Office:
    copy = _of_its_own(real, place, real.clock, "exports", "templates")
    _copy_books(real.database, copy.database)
    for period in _shared_runs(copy.database):
        fetch_documents(copy.database, period, real.store, copy.exports_folder)
    return copy


def _of_its_own(real: Office, place: Path, clock: Clock, *folders: str) -> Office:
    """Return an office with empty books in a folder; `folders` of the real one are linked there."""
    for name in folders:
        if (real.home / name).is_dir():
            shutil.copytree(real.home / name, place / name, copy_function=_link)
    settings = real.settings.model_copy(
        update={
            "database": real.settings.database.model_copy(update={"url": ""}),
            "bills": real.settings.bills.model_copy(update={"store": "bills"}),
        }
    )
    copy = replace(
        real,
        home=place,
        clock=clock,
        settings=settings,
        rehearses=True,
        approves=lambda _: True,
        copied_from=real,
    )
    with copy.database.writing() as books:
        metadata.create_all(books)
    return copy


def _shared_runs(database: Database) -> list[str]:
    """Return the runs that are not closed and whose bulk files another machine may have shared."""
    is_closed = sa.exists().where(period_close.c.period == bulk_file.c.period)
    shared = bulk_file.c.shared_sha256.is_not(None)
    with database.reading() as books:
        return list(
            books.scalars(sa.select(bulk_file.c.period).where(shared, ~is_closed).distinct())
        )


def _link(source: str, target: str) -> None:
    """Link a file rather than copy it where both lie on one disk; nobody writes into it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _copy_books(source: Database, target: Database) -> None:
    with source.reading() as original, target.writing() as books:
        for table in metadata.sorted_tables:
            if table in LEFT_OUT:
                continue
            columns = [column.name for column in table.columns]
            rows = original.execution_options(yield_per=5_000).execute(sa.select(table))
            insert_rows(books, table, columns, rows)
