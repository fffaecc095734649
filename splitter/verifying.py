"""Reading back: no bill leaves before a second library has found in it what must be there."""

from __future__ import annotations

import re

from domain.accounts import account_key
from domain.bills import BillRange, PageFacts
from splitter.neighbours import Neighbours
from splitter.page_reading import DocumentText
from splitter.patterns import Patterns
from splitter.pdfium_text import CannotOpen
from splitter.swift_audit import is_surely_clean

# What may be an account number as printed: letters and digits with a digit among them.
NUMBER_LIKE = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z.\-]*[0-9])[0-9A-Za-z][0-9A-Za-z.\-]{4,}")


def read_back(
    copy: bytes,
    expected: BillRange,
    patterns: Patterns,
    neighbours: Neighbours,
    *,
    is_thorough: bool = True,
) -> list[str]:
    """
    Return what is wrong with a bill's copy; nothing when it may leave.

    It must show the same account, amount due, due date and number of pages, hold no page that
    may be a neighbour's, and pass the audit: the full one if `is_thorough`, else the swift one on
    raw bytes where that is enough. To be called in a child: pdfium may hang.
    """
    try:
        document = DocumentText(copy, patterns)
    except CannotOpen:
        return ["cannot be opened"]
    try:
        read = [document.facts(page) for page in range(document.pages)]
    finally:
        document.close()
    findings = _differences(read, expected, neighbours)
    if not is_thorough and is_surely_clean(copy, len(expected.pages)):
        return findings
    from splitter.auditing import audit  # its library takes long to load and is seldom needed

    return audit(copy, len(expected.pages)) + findings


def _differences(
    read: list[tuple[PageFacts, str]], expected: BillRange, neighbours: Neighbours
) -> list[str]:
    pages = [facts for facts, _ in read]
    own = account_key(expected.account)
    found = []
    if len(pages) != len(expected.pages):
        found.append(f"has {len(pages)} pages instead of {len(expected.pages)}")
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
