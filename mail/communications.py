"""Communications that are posted for the customers: a PDF, its title, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from database.auditing import record_audit
from database.books import Database
from database.tables import communication
from domain.failures import Misuse, Refused
from mail.communications_pdf import PdfFile

FOLDER = "communications"  # below the bill store
NUMBER = "{number}"  # its place in the office's address


class Store(Protocol):
    """Where files are kept, whole or not at all, for the office's own eyes."""

    def write(self, path: str, content: bytes) -> None: ...

    def read(self, path: str) -> bytes: ...

    def exists(self, path: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Details:
    """What a communication is called, where it is read, and its last local day; None: it stays."""

    title: str
    link: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Added:
    number: int
    is_new: bool


def file_of(number: int, sha256: str) -> str:
    """Return the path of a communication's file below the bill store."""
    return f"{FOLDER}/{number}-{sha256[:16]}.pdf"


def add_communication(
    database: Database, store: Store, pdf: PdfFile, details: Details, *, now: datetime, who: str
) -> Added:
    """
    Post a PDF (rules 104, 105); it is the latest from now on.

    Recorded before it is written, and shown only after: what a kill left half done is finished by
    doing the same again, and doing it twice is doing it once. Raises Refused for a file that is
    there under another title, date or address: that one is to be changed.
    """
    try:
        with database.writing() as books:
            added = _record(books, pdf, details, now, who)
    except IntegrityError:  # somebody added the same file at the same moment: his row it is
        with database.writing() as books:
            added = _record(books, pdf, details, now, who)
    path = file_of(added.number, pdf.sha256)
    with database.reading() as books:
        is_written = books.scalar(
            sa.select(communication.c.written_at).where(communication.c.number == added.number)
        )
    if is_written is None or not store.exists(path):
        store.write(path, pdf.content)
        with database.writing() as books:
            _change(books, added.number, {"written_at": now})
            record_audit(books, now, who, "add communication", str(added.number), details.title)
    return added


def change_communication(
    database: Database, number: int, changes: dict[str, Any], *, now: datetime, who: str
) -> None:
    """Give a communication another title, address or last day (rule 105); raises Misuse."""
    with database.writing() as books:
        _require_posted(books, number)
        _change(books, number, changes)
        told = ", ".join(sorted(changes))
        record_audit(books, now, who, "change communication", str(number), told)


def remove_communication(
    database: Database, number: int, reason: str, *, now: datetime, who: str
) -> None:
    """
    Show a communication no more (rule 106); raises Misuse for one that is not there.

    Its file and what the books say of it stay: what customers were shown can be proved.
    """
    with database.writing() as books:
        _require_posted(books, number)
        _change(books, number, {"removed_at": now, "removed_by": who, "removal_reason": reason})
        record_audit(books, now, who, "remove communication", str(number), reason)


def _record(books: Connection, pdf: PdfFile, details: Details, now: datetime, who: str) -> Added:
    """Find the row of a file, or make it."""
    known = books.execute(
        sa.select(communication).where(
            communication.c.sha256 == pdf.sha256, communication.c.removed_at.is_(None)
        )
    ).one_or_none()
    if known is None:
        inserted = books.execute(
            communication.insert().values(
                title=details.title,
                link=details.link,
                expires_on=details.expires_on,
                sha256=pdf.sha256,
                size=len(pdf.content),
                pages=pdf.pages,
                added_at=now,
                added_by=who,
            )
        )
        (number,) = inserted.inserted_primary_key or (0,)
        return Added(number, is_new=True)
    if Details(known.title, known.link, known.expires_on) != details:
        raise Refused(
            "posted-before",
            f"This file is communication {known.number}, with another title, address or date; "
            f"change it with `billclose communication change {known.number}`.",
        )
    return Added(known.number, is_new=known.written_at is None)


def _require_posted(books: Connection, number: int) -> None:
    removed = books.execute(
        sa.select(communication.c.removed_at).where(communication.c.number == number)
    ).one_or_none()
    if removed is None or removed.removed_at is not None:
        what = "has been removed" if removed else "is not there"
        raise Misuse(
            f"Communication {number} {what}; see `billclose communication list`.",
            "unknown-communication",
        )


def _change(books: Connection, number: int, changes: dict[str, Any]) -> None:
    row = communication.update().where(communication.c.number == number)
    books.execute(row.values(changes))
