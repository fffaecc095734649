"""The next part of a period's print batches."""

from __future__ import annotations

import sqlalchemy as sa

from database.audit import record_audit
from database.runs import get_run
from database.tables import print_batch
from domain.failures import Misuse, Refused
from domain.words import say_count
from office.equipment import locking
from office.equipment.office import Office
from splitter.runs.print_batch import PrintPart, write_next_part
from splitter.runs.print_plans import faults_of
from splitter.runs.records import fetch_documents

PUT_BACK = (
    "Put it back from a backup; or remove it, if what the printer has is as it was written, and "
    "say again that it is fetched."
)


def write_waiting_part(office: Office, period: str) -> PrintPart:
    """Print the bills of a period that wait, in a part of their own; none: nothing is written."""
    known = get_run(office.database, period)
    with locking.working_on(office, period):
        fetch_documents(office.database, period, office.store, office.exports_folder)
        part = write_next_part(
            office.database,
            period,
            office.print_folder,
            exports_folder=office.exports_folder,
            now=office.now(known),
            terms=office.print_terms,
        )
    if part.bills or part.faults:
        detail = f"part {part.number}: {say_count(part.bills, 'bill')}"
        detail += "".join(f"; {fault}" for fault in part.faults)
        with office.database.writing() as books:
            now = office.now(known)
            record_audit(books, now, office.who, "write print part", period, detail)
    return part


def mark_fetched(office: Office, period: str | None = None, file: str = "") -> tuple[str, ...]:
    """
    Write down that somebody has print files, for the printer; return those marked now.

    `file` is one of them, else all that nobody marked yet, of a period or of all. What is marked
    is not told again on the first page, and an undo says that it has to be stopped at the
    printer's. Raises Misuse for an unknown period or file, and Refused, with nothing marked, where
    a file lies there that is not what the close wrote: whoever prints it prints something else.
    """
    if period is not None:
        get_run(office.database, period)
    rows = print_batch.c
    mine: list[sa.ColumnElement[bool]] = [rows.fetched_at.is_(None)]
    mine += [rows.period == period] if period is not None else []
    mine += [rows.file == file] if file else []
    now = office.moment()
    _require_unchanged(office, period, file)
    with office.database.writing() as books:
        if file and not books.scalar(sa.select(rows.file).where(rows.file == file)):
            raise Misuse(f"There is no print file {file}.", "unknown-file")
        marked = tuple(books.scalars(sa.select(rows.file).where(*mine).order_by(rows.file)))
        said = {"fetched_at": now, "fetched_by": office.who}
        books.execute(print_batch.update().where(*mine).values(said))
        for one in marked:
            record_audit(books, now, office.who, "fetch print file", one, "")
    return marked


def _require_unchanged(office: Office, period: str | None, file: str) -> None:
    """Raise Refused for a file that lies there and is not what was written; one gone is fetched."""
    with office.database.reading() as books:
        faults = faults_of(books, office.print_folder, period, file)
    for fault in faults:
        if fault.what == "changed":
            raise Refused("print-file-changed", f"{fault}. {PUT_BACK}")


def waiting_files(office: Office) -> tuple[str, ...]:
    """Return the print files that lie where they were written and that nobody says to have."""
    rows = print_batch.c
    query = sa.select(rows.file).where(rows.fetched_at.is_(None)).order_by(rows.file)
    with office.database.reading() as books:
        files = books.scalars(query).all()
    return tuple(file for file in files if (office.home / file).is_file())
