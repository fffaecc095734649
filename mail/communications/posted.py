"""Communications that are posted for the customers: a PDF, its title, and until when."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from database.audit import record_audit
from database.books import Database
from database.tables import communication
from domain.causes import say_cause
from domain.failures import DAMAGED_PDF, Misuse, Refused
from mail.message.size_limit import MEGABYTE
from rules.mail.communications import Posted, choose_latest


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A sound PDF and the name it came by."""

    name: str
    content: bytes = field(repr=False)
    pages: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read_pdf_file(file: Path, largest: int) -> PdfFile:
    """
    Read a PDF of at most `largest` octets that opens without a password and has pages.

    Raises Misuse (`pdf-unreadable`) with what to do.
    """
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= largest else b""
    except OSError as failure:
        reason = say_cause(failure)
        raise _unfit(file, f"cannot be read: {reason}; check the path.") from None
    if size > largest:
        raise _unfit(
            file,
            f"has {size / MEGABYTE:.1f} MB, more than the {largest / MEGABYTE:g} MB allowed; "
            "make it smaller.",
        )
    if not content.startswith(b"%PDF-"):
        raise _unfit(file, "is not a PDF file; save it as PDF.")
    return PdfFile(file.name, content, _count_pages(file, content))


def _count_pages(file: Path, content: bytes) -> int:
    from pypdf import PdfReader  # it takes long to load
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        is_locked = reader.is_encrypted
        pages = 0 if is_locked else sum(1 for _ in reader.pages)
    except (PyPdfError, DependencyError, *DAMAGED_PDF):
        raise _unfit(file, "is cut off or damaged; save it again.") from None
    if is_locked:
        raise _unfit(file, "is encrypted; save it without a password and without restrictions.")
    if not pages:
        raise _unfit(file, "has no pages; save it again.")
    return pages


def _unfit(file: Path, what: str) -> Misuse:
    return Misuse(f"{file.name} {what}", "pdf-unreadable")


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


FRESH_SECONDS = 5.0  # how old what we know may be: fifty thousand mails do not ask each


def read_posted(database: Database, link_url: str = "") -> list[Posted]:
    """Return what was posted and not removed, each with where it is read, in order of number."""
    query = (
        sa.select(
            communication.c.number,
            communication.c.title,
            communication.c.link,
            communication.c.expires_on,
        )
        .where(communication.c.removed_at.is_(None), communication.c.written_at.is_not(None))
        .order_by(communication.c.number)
    )
    with database.reading() as books:
        rows = books.execute(query).all()
    return [
        Posted(row.number, row.title, row.link or _address(link_url, row.number), row.expires_on)
        for row in rows
    ]


class LiveCommunications:
    """
    Answers which communication a mail may link to now (rules 107, 108).

    Asked when a mail is composed: one that was put off over an expiry or a removal must not lead
    to a dead page. `today` tells the utility's local date; `link_url` has {number} in it, empty
    where the office has no such page.
    """

    def __init__(
        self,
        database: Database,
        link_url: str,
        today: Callable[[], date],
        *,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        self._database = database
        self._link_url = link_url
        self._today = today
        self._fresh_seconds = fresh_seconds
        self._posted: list[Posted] = []
        self._day = date.min
        self._read_at: float | None = None

    def latest_link(self) -> str:
        """Return the web address of the latest live one; empty: there is none, or it has none."""
        latest = choose_latest(*self._read())
        return latest.link if latest else ""

    def link_to(self, number: int) -> str:
        """Return the web address of one; empty where it is not live any more."""
        posted, today = self._read()
        live = (one.link for one in posted if one.number == number and one.is_live(today))
        return next(live, "")

    def _read(self) -> tuple[list[Posted], date]:
        """Return what is posted, and today; both are asked of the books."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at >= self._fresh_seconds:
            self._posted, self._day = read_posted(self._database, self._link_url), self._today()
            self._read_at = now
        return self._posted, self._day


def _address(link_url: str, number: int) -> str:
    return link_url.replace(NUMBER, str(number))
