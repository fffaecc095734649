"""The pages of a bulk file and the bills they make up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from domain.money import Money


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
    text_checksum: int = field(default=0, compare=False)  # a checksum of all its text


@dataclass(frozen=True, slots=True)
class BillRange:
    """Consecutive pages that are one account's bill, with what is printed on them."""

    account: str
    pages: tuple[int, ...]
    amount_due: Money | None
    due_on: date | None
    text_checksums: tuple[int, ...] = ()  # of its pages, in their order


@dataclass(frozen=True, slots=True)
class UnassignedPage:
    page: int
    reason: str


@dataclass(frozen=True, slots=True)
class PageAssignment:
    """Every page of a bulk file exactly once: in a bill, as a separator, or unassigned."""

    bills: tuple[BillRange, ...]
    separators: tuple[int, ...]
    unassigned: tuple[UnassignedPage, ...]
    by_ocr: tuple[int, ...] = ()  # the pages in bills that were read by OCR
