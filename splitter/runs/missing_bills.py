"""Where the bills of accounts that have none would stand, and whose pages may be theirs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from domain.accounts import account_key
from domain.bills import BillRange, PageAssignment, UnassignedPage
from domain.words import say_count

IN_ORDER = 0.9  # of the bills that follow each other, in a file that is sorted so
FEWEST_BILLS = 5
MOST_MISSING = 5_000  # accounts: where more have no bill, it is not a page that was lost
LOST_BILL = "missing-bill"  # the signal

Order = Mapping[str, int]  # account key -> place among all accounts, sorted in one way


@dataclass(frozen=True, slots=True)
class BillPlace:
    """Between which bills an account's would stand; pages count from 0, None at an end."""

    account_key: str
    bulk: int
    before_key: str
    before_page: int | None
    after_page: int | None


def order_of_file(assignment: PageAssignment, orders: Sequence[Order]) -> Order | None:
    """Return the order in which a bulk file's bills stand, if it is one of these."""
    if len(assignment.bills) < FEWEST_BILLS:
        return None
    keys = [account_key(bill.account) for bill in assignment.bills]
    for order in orders:
        places = [order[key] for key in keys if key in order]
        rising = [one <= other for one, other in pairwise(places)]
        if len(places) >= FEWEST_BILLS and sum(rising) >= IN_ORDER * len(rising):
            return order
    return None


def places_of_missing(
    bulk: int, assignment: PageAssignment, missing: Collection[str], orders: Sequence[Order]
) -> Iterator[BillPlace]:
    """
    Yield where the bills of accounts (keys) would stand, if the file is in one of these orders.

    Whoever has the bill before may have got a page of the missing one.
    """
    if not missing or len(missing) > MOST_MISSING:
        return
    order = order_of_file(assignment, orders)
    if order is None:
        return
    bills = sorted(
        (order[key], key, bill.pages)
        for bill in assignment.bills
        if (key := account_key(bill.account)) in order
    )
    places = [place for place, _, _ in bills]
    for key in sorted(missing):
        if key not in order:
            continue
        at = bisect_left(places, order[key])
        before = bills[at - 1] if at else None
        after = bills[at] if at < len(bills) else None
        yield BillPlace(
            key,
            bulk,
            before[1] if before else "",
            before[2][-1] if before else None,
            after[2][0] if after else None,
        )


def hold_beside_missing(
    assignment: PageAssignment,
    missing: Mapping[str, str],
    orders: Sequence[Order],
    *,
    reports_only: bool = False,
) -> PageAssignment:
    """
    Set aside the pages of which nothing but their place says whose they are, where a bill is lost.

    `missing` are the accounts without a bill, by key, as the export writes them. Where the file's
    order says that such a bill would follow another one, its pages may be the last ones of that:
    a lost first page is seen by nothing that is printed. Where pages between the two are held
    already, those are the ones. With `reports_only` they stay in their bill and are doubted.
    """
    if not missing or len(missing) > MOST_MISSING:
        return assignment
    order = order_of_file(assignment, orders)
    if order is None:
        return assignment
    places = sorted((order[key], key) for key in missing if key in order)
    held_already = {page.page for page in assignment.unassigned}
    bills: list[BillRange] = []
    held: list[UnassignedPage] = []
    for bill, following in zip(assignment.bills, [*assignment.bills[1:], None], strict=True):
        lost = _between(places, order, bill, following)
        if not lost or not bill.loose or bill.pages[-1] + 1 in held_already:
            bills.append(bill)
            continue
        sentence = _say_lost([missing[key] for key in lost])
        held += [
            UnassignedPage(page, sentence, account_key(bill.account), "", (LOST_BILL,), mark)
            for page, mark in zip(bill.pages, bill.text_checksums, strict=True)
            if page in bill.pages[-bill.loose :]
        ]
        bills.append(bill if reports_only else _shortened(bill))
    if reports_only:
        return replace(assignment, doubted=_in_order(*assignment.doubted, *held))
    by_ocr = set(assignment.by_ocr) - {page.page for page in held}
    return replace(
        assignment,
        bills=tuple(bills),
        unassigned=_in_order(*assignment.unassigned, *held),
        by_ocr=tuple(sorted(by_ocr)),
    )


def _between(
    places: Sequence[tuple[int, str]], order: Order, bill: BillRange, following: BillRange | None
) -> list[str]:
    """Return the accounts whose bills would stand behind one and before the next."""
    begin = order.get(account_key(bill.account))
    if begin is None:
        return []
    end = order.get(account_key(following.account)) if following else len(order)
    if end is None:
        return []
    first = bisect_right(places, (begin, "\U0010ffff"))
    return [key for _, key in places[first : bisect_left(places, (end, ""))]]


def _shortened(bill: BillRange) -> BillRange:
    return replace(
        bill,
        pages=bill.pages[: -bill.loose],
        text_checksums=bill.text_checksums[: -bill.loose],
        loose=0,
    )


def _say_lost(accounts: Sequence[str]) -> str:
    whose = accounts[0] if len(accounts) == 1 else say_count(len(accounts), "account")
    bill = "bill" if len(accounts) == 1 else "bills"
    verb = "is missing and" if len(accounts) == 1 else "are missing and"
    return f"It names no account, and the {bill} of {whose} {verb} would stand here."


def _in_order(*pages: UnassignedPage) -> tuple[UnassignedPage, ...]:
    return tuple(sorted(pages, key=lambda found: found.page))
