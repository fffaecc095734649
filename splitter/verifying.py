"""Reading back: no bill leaves before a second library has found in it what must be there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.accounts import account_key
from domain.bills import BillRange, PageFacts
from splitter.neighbours import Neighbours
from splitter.page_reading import DocumentText
from splitter.patterns import Patterns
from splitter.pdfium_text import CannotOpen
from splitter.swift_audit import is_surely_clean
from splitter.user_units import units_of_copy
from splitter.wording import text_mark

# What may be an account number as printed: letters and digits with a digit among them.
NUMBER_LIKE = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z.\-]*[0-9])[0-9A-Za-z][0-9A-Za-z.\-]{4,}")

UNREADABLE = "cannot be opened"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was done to know a copy, and what is wrong with it; without findings it may leave."""

    findings: tuple[str, ...] = ()
    is_read_back: bool = False
    is_audited: bool = False  # in full


def examine(
    copy: bytes,
    expected: BillRange,
    patterns: Patterns,
    neighbours: Neighbours,
    *,
    reads_back: bool = True,
    audits: bool = True,
) -> Examination:
    """
    Read a bill's copy back, give it the full audit, or both.

    Read back, it must show the same account, amount due, due date and number of pages, say on each
    page what that page says in the bulk file, hold no page that may be a neighbour's, and pass the
    swift audit on its raw bytes; where that one cannot tell the full one must. To be called in a
    child: pdfium may hang.
    """
    findings = _read_back(copy, expected, patterns, neighbours) if reads_back else []
    if findings == [UNREADABLE]:
        return Examination((UNREADABLE,), is_read_back=True)
    pages = len(expected.pages)
    is_audited = audits or (reads_back and not is_surely_clean(copy, pages))
    if is_audited:
        from splitter.auditing import audit  # its library takes long to load and is seldom needed

        findings = audit(copy, pages) + findings
    return Examination(tuple(findings), reads_back, is_audited)


def _read_back(
    copy: bytes, expected: BillRange, patterns: Patterns, neighbours: Neighbours
) -> list[str]:
    try:
        document = DocumentText(copy, patterns, units_of_copy(copy))
    except CannotOpen:
        return [UNREADABLE]
    try:
        read = [document.facts(page) for page in range(document.pages)]
    finally:
        document.close()
    return _differences(read, expected, neighbours)


def _differences(
    read: list[tuple[PageFacts, str]], expected: BillRange, neighbours: Neighbours
) -> list[str]:
    pages = [facts for facts, _ in read]
    own = account_key(expected.account)
    found = []
    if len(pages) != len(expected.pages):
        found.append(f"has {len(pages)} pages instead of {len(expected.pages)}")
    elif expected.text_marks and any(
        text_mark(text) != mark for (_, text), mark in zip(read, expected.text_marks, strict=True)
    ):
        found.append("does not say what its pages say in the bulk file")
    if {account_key(account) for page in pages for account in page.accounts} != {own}:
        found.append("does not show its account, or shows another one")
    if any(account_key(stranger) != own for stranger in _strangers(read, neighbours)):
        found.append("has a page that prints the number of another account alone")
    if _first_amount(pages) != expected.amount_due:
        found.append("does not show its amount due")
    if _first_due_date(pages) != expected.due_on:
        found.append("does not show its due date")
    return found


def _strangers(read: list[tuple[PageFacts, str]], neighbours: Neighbours) -> set[str]:
    """Return accounts of the bulk file on pages that name none themselves."""
    if not neighbours.accounts:
        return set()
    return {
        number
        for facts, text in read
        if not facts.accounts
        for number in numbers_in(text)
        if number in neighbours.accounts
    }


def numbers_in(text: str) -> set[str]:
    return {match.rstrip(".-") for match in NUMBER_LIKE.findall(text)}


def _first_amount(pages: list[PageFacts]) -> object:
    return next((page.amounts[0] for page in pages if page.amounts), None)


def _first_due_date(pages: list[PageFacts]) -> object:
    return next((page.due_dates[0] for page in pages if page.due_dates), None)
