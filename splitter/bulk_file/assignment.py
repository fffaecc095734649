"""Where a bill begins and ends: every page of a bulk file is given to exactly one place."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date

from domain.accounts import account_key
from domain.bills import BillRange, PageAssignment, PageFacts, UnassignedPage
from domain.money import Money

AT_THE_START = "It names no account and no bill comes before it."
AFTER_SEPARATOR = "It names no account and follows a separator page."
AFTER_UNASSIGNED = "It names no account and follows a page that belongs to nobody."
NEW_WITHOUT_ACCOUNT = "It is printed as page 1 after the end of a bill, but names no account."
TWO_ACCOUNTS = "It names more than one account."
NOT_READABLE = "It has no text that can be read with certainty."
UNKNOWN_BY_OCR = "It was read by OCR and names an account that the export does not have."
OTHER_AMOUNT_BY_OCR = (
    "It names the account before it, but one of the two was read by OCR and their amounts differ."
)


def assign_pages(
    facts: Iterable[PageFacts], *, known_accounts: Collection[str] | None = None
) -> PageAssignment:
    """
    Give every page to the account it names, else to the bill before it (rule 11).

    Nothing is guessed: a page goes to a person where it names two accounts, cannot be read, or
    names none while no bill is open (at the start, after a separator, after such a page). An
    account that occurs in two places gets two bills, for the caller to report. A page read by OCR
    may be misread, so its account must be among the known ones (as keys), if they are given.
    """
    desk = _Desk(known_accounts)
    for page in facts:
        desk.take(page)
    return PageAssignment(
        bills=tuple(bill.to_range() for bill in desk.bills),
        separators=tuple(desk.separators),
        unassigned=tuple(desk.unassigned),
        by_ocr=tuple(desk.by_ocr),
    )


@dataclass(slots=True)
class _OpenBill:
    account: str
    key: str
    pages: list[int] = field(default_factory=list)
    text_checksums: list[int] = field(default_factory=list)
    amount_due: Money | None = None
    due_on: date | None = None
    number: tuple[int, int] | None = None  # the last printed "page x of y"
    has_page_one: bool = False
    has_ocr: bool = False

    def add(self, page: PageFacts) -> None:
        self.pages.append(page.page)
        self.has_ocr = self.has_ocr or page.by_ocr
        self.text_checksums.append(page.text_checksum)
        if self.amount_due is None and page.amounts:
            self.amount_due = page.amounts[0]
        if self.due_on is None and page.due_dates:
            self.due_on = page.due_dates[0]
        if page.number is not None:
            self.number = page.number
            self.has_page_one = self.has_page_one or page.number[0] == 1

    def is_complete(self) -> bool:
        return self.number is not None and self.number[0] == self.number[1]

    def to_range(self) -> BillRange:
        pages, marks = tuple(self.pages), tuple(self.text_checksums)
        return BillRange(self.account, pages, self.amount_due, self.due_on, marks)


class _Desk:
    """The sorting desk: the pages taken so far and the bill that is open."""

    def __init__(self, known_accounts: Collection[str] | None) -> None:
        self.by_ocr: list[int] = []
        self._known = None if known_accounts is None else frozenset(known_accounts)
        self.bills: list[_OpenBill] = []
        self.separators: list[int] = []
        self.unassigned: list[UnassignedPage] = []
        self._open: _OpenBill | None = None
        self._why_none_is_open = AT_THE_START

    def take(self, page: PageFacts) -> None:
        keys = {account_key(account) for account in page.accounts} - {""}
        if page.is_separator:
            self.separators.append(page.page)
            self._close(AFTER_SEPARATOR)
        elif not page.has_text:
            self._set_aside(page, NOT_READABLE)
        elif len(keys) > 1:
            self._set_aside(page, TWO_ACCOUNTS)
        elif keys and page.by_ocr and self._known is not None and not keys <= self._known:
            self._set_aside(page, UNKNOWN_BY_OCR)
        elif keys:
            self._take_named(page, keys.pop())
        else:
            self._take_unnamed(page)

    def _take_named(self, page: PageFacts, key: str) -> None:
        bill = self._open
        if bill is None or bill.key != key or _restarts(page, bill):
            account = next(name for name in page.accounts if account_key(name) == key)
            bill = self._open = _OpenBill(account, key)
            self.bills.append(bill)
        elif _may_be_misread(page, bill):
            self._set_aside(page, OTHER_AMOUNT_BY_OCR)
            return
        if page.by_ocr:
            self.by_ocr.append(page.page)
        bill.add(page)

    def _take_unnamed(self, page: PageFacts) -> None:
        if self._open is None:
            self._set_aside(page, self._why_none_is_open)
        elif page.number is not None and page.number[0] == 1 and self._open.is_complete():
            self._set_aside(page, NEW_WITHOUT_ACCOUNT)
        else:
            self._open.add(page)

    def _set_aside(self, page: PageFacts, reason: str) -> None:
        self.unassigned.append(UnassignedPage(page.page, reason))
        if self._open is not None or reason not in (AT_THE_START, AFTER_SEPARATOR):
            self._close(AFTER_UNASSIGNED)

    def _close(self, why: str) -> None:
        self._open = None
        self._why_none_is_open = why


def _restarts(page: PageFacts, bill: _OpenBill) -> bool:
    """Say whether the printed page number begins again: the same bill was printed twice."""
    if page.number is None or page.number[0] != 1:
        return False
    return bill.has_page_one or bill.is_complete()


def _may_be_misread(page: PageFacts, bill: _OpenBill) -> bool:
    """
    Say whether OCR may have misread a stranger's account as this one.

    Bills that stand side by side often have numbers that differ by one digit; their amounts tell.
    """
    if not (page.by_ocr or bill.has_ocr) or bill.amount_due is None:
        return False
    return bool(page.amounts) and page.amounts[0] != bill.amount_due
