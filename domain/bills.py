"""The pages of a bulk file and the bills they make up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from domain.money import Money


@dataclass(frozen=True, slots=True)
class PageClaim:
    """
    What a bookmark, or the name of an attachment, says of a page.

    `begins`: a bill of its own begins here, though the one before it were of the same account.
    `is_alone`: nothing on the page itself names the account. `contradiction` says in a sentence
    why a person must look at the page; then it is nobody's, whatever else is known.
    """

    begins: bool = False
    is_alone: bool = False
    contradiction: str = ""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """
    What one page of a bulk file says; `page` counts from 0.

    `accounts`, `amounts` and `due_dates` hold the distinct values its patterns found, in the
    order of reading. `has_text` is false for a page that is only a picture.
    """

    page: int
    accounts: tuple[str, ...] = ()
    amounts: tuple[Money, ...] = ()
    due_dates: tuple[date, ...] = ()
    is_separator: bool = False
    has_text: bool = True
    number: tuple[int, int] | None = None  # (1, 2) for "Page 1 of 2"
    by_ocr: bool = False  # its text was read from a picture, which may be misread
    doubt: str = ""  # what speaks against the account it names: over-line, cut, other-label
    elsewhere: tuple[str, ...] = ()  # accounts on it outside the region that is looked at
    unseen: tuple[str, ...] = ()  # accounts in text of it that nobody sees
    text_checksum: int = field(default=0, compare=False)  # a checksum of all its text
    claim: PageClaim | None = None  # None: a bookmark says nothing that its text does not


@dataclass(frozen=True, slots=True)
class BillRange:
    """Consecutive pages that are one account's bill, with what is printed on them."""

    account: str
    pages: tuple[int, ...]
    amount_due: Money | None
    due_on: date | None
    text_checksums: tuple[int, ...] = ()  # of its pages, in their order
    lacks: str = ""  # a sentence about pages that are missing; nothing: it is whole
    kin: tuple[str, ...] = ()  # keys of others' accounts that rightly stand on its pages
    is_ruled: bool = False  # a person or a bookmark said whose it is; it may show no account
    loose: int = 0  # of its last pages: only their place in the file says that they are its own


class Tagging(StrEnum):
    """What became of the tags by which screen readers read a bill (ruling 23)."""

    KEPT = "tags-kept"
    NONE = "source-not-tagged"
    INCOMPLETE = "tags-incomplete"  # they lack some of what the pages show, or have more
    UNREADABLE = "tags-unreadable"
    DROPPED = "tags-dropped"  # by setting


@dataclass(frozen=True, slots=True)
class UnassignedPage:
    """
    A page that is left to a person, and why.

    `before` is the account of the bill before it, `seems` the account that it seems to be; both as
    keys, and empty where there is none.
    """

    page: int
    reason: str
    before: str = ""
    seems: str = ""
    signals: tuple[str, ...] = ()  # what spoke against the bill before it
    text_checksum: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class PageAssignment:
    """Every page of a bulk file exactly once: in a bill, as a separator, or unassigned."""

    bills: tuple[BillRange, ...]
    separators: tuple[int, ...]
    unassigned: tuple[UnassignedPage, ...]
    by_ocr: tuple[int, ...] = ()  # the pages in bills that were read by OCR
    dropped: tuple[int, ...] = ()  # pages that a person said belong to nobody
    doubted: tuple[UnassignedPage, ...] = ()  # pages in bills that would have been held
    warnings: tuple[str, ...] = ()  # what is not compared, and what that costs
