"""Where the bills of accounts that have none would stand in a bulk file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

from domain.accounts import account_key
from domain.bills import PageAssignment

IN_ORDER = 0.9  # of the bills that follow each other, in a file that is sorted by account
FEWEST_BILLS = 5
MOST_MISSING = 5_000  # accounts: where more have no bill, it is not a page that was lost


@dataclass(frozen=True, slots=True)
class BillPlace:
    """Between which bills an account's would stand; pages count from 0, None at an end."""

    account_key: str
    bulk: int
    before_key: str
    before_page: int | None
    after_page: int | None


def places_of_missing(
    bulk: int, assignment: PageAssignment, missing: Collection[str]
) -> Iterator[BillPlace]:
    """
    Yield where the bills of accounts (keys) would stand, if the file is in order of accounts.

    Whoever has the bill before may have got a page of the missing one.
    """
    if not missing or len(missing) > MOST_MISSING or len(assignment.bills) < FEWEST_BILLS:
        return
    bills = [(account_key(bill.account), bill.pages) for bill in assignment.bills]
    rising = [one[0] <= other[0] for one, other in pairwise(bills)]
    if sum(rising) < IN_ORDER * len(rising):
        return
    bills.sort(key=lambda bill: bill[0])
    keys = [key for key, _ in bills]
    for key in missing:
        place = bisect_left(keys, key)
        before = bills[place - 1] if place else None
        after = bills[place] if place < len(bills) else None
        yield BillPlace(
            key,
            bulk,
            before[0] if before else "",
            before[1][-1] if before else None,
            after[1][0] if after else None,
        )
