"""Print batches after the close: their next part, the same files again, who has fetched them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from database.audit import record_audit
from database.runs import get_run
from database.tables import print_batch
from domain.failures import Misuse, Refused
from domain.words import say_count
from office.equipment import locking
from office.equipment.office import Office
from splitter.runs.print_batch import PrintPart, make_again, write_next_part
from splitter.runs.print_plans import faults_of
from splitter.runs.records import fetch_documents

PUT_BACK = (
    "Have it written again (`print {period} --again`), or put it back from a backup; or remove it, "
    "if what the printer has is as it was written, and say again that it is fetched."
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


@dataclass(frozen=True, slots=True)
class WrittenAgain:
    """Print files that were missing or changed: those written again, those that cannot be."""

    files: tuple[str, ...]
    others: tuple[str, ...]


def write_again(office: Office, period: str | None = None) -> WrittenAgain:
    """
    Write print files again, byte for byte, that are missing or changed and that nobody fetched.

    Of one period, or of all. Each is made beside its place, compared with the digests that the
    books have had since it was written first, audited, and only then put there. What comes out
    otherwise stays as it is found: the printer's order and the books would not tell of the same
    file. Killed at any moment, the same call goes on. Raises Misuse for an unknown period.
    """
    rows = print_batch.c
    query = sa.select(rows.period).where(rows.fetched_at.is_(None)).distinct().order_by(rows.period)
    with office.database.reading() as books:
        periods = [period] if period is not None else list(books.scalars(query))
    files: list[str] = []
    others: list[str] = []
    for one in periods:
        written, left = _write_again(office, one)
        files += written
        others += left
    return WrittenAgain(tuple(files), tuple(others))


def _write_again(office: Office, period: str) -> tuple[list[str], list[str]]:
    known = get_run(office.database, period)
    folder = office.print_folder
    written, left = [], []
    with locking.working_on(office, period):
        with office.database.reading() as books:
            if not faults_of(books, folder, period):
                return [], []
        fetch_documents(office.database, period, office.store, office.exports_folder)
        exports, terms = office.exports_folder, office.print_terms
        made = make_again(office.database, period, folder, exports_folder=exports, terms=terms)
        for file, batch in made:
            if batch is None:
                left.append(file)
                continue
            with office.database.writing() as books:
                now = office.now(known)
                record_audit(books, now, office.who, "write print file again", file, period)
            batch.give_names(folder)
            written.append(file)
    return written, left


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
            raise Refused(
                "print-file-changed", f"{fault}. {PUT_BACK.format(period=Path(file).parent.name)}"
            )


def waiting_files(office: Office) -> tuple[str, ...]:
    """Return the print files that lie where they were written and that nobody says to have."""
    rows = print_batch.c
    query = sa.select(rows.file).where(rows.fetched_at.is_(None)).order_by(rows.file)
    with office.database.reading() as books:
        files = books.scalars(query).all()
    return tuple(file for file in files if (office.home / file).is_file())
