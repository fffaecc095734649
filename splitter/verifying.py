"""Reading back: no bill leaves before a second library has found in it what must be there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from domain.accounts import account_key
from domain.bills import BillRange, PageFacts
from splitter.children import Child, ChildFailed
from splitter.messages import facts_from_message
from splitter.patterns import Patterns

# An account number that is searched for everywhere must be like no amount, date or reading: those
# shorter than this count only if they have two separators, as in 01.1037.1.
FEWEST_SIGNS = 10
FEWEST_SIGNS_WITH_SEPARATORS = 6


@dataclass(frozen=True, slots=True)
class Neighbours:
    """
    The accounts of the whole bulk file as printed: none but the bill's own may stand on a page
    that names no account and belongs to the bill only because it follows it.

    With a region the pages are known to print other numbers too, so then only the region counts.
    """

    accounts: frozenset[str]

    @classmethod
    def of(cls, bills: Collection[BillRange], patterns: Patterns) -> Neighbours:
        if patterns.region is not None:
            return cls(frozenset())
        printed = {bill.account for bill in bills}
        return cls(frozenset(name for name in printed if _is_distinctive(name)))


class Verifier:
    """Reads copies back in a child process of its own, which is replaced when it fails."""

    def __init__(self, patterns: Patterns, neighbours: Neighbours) -> None:
        self._patterns = patterns
        self._neighbours = neighbours
        self._child: Child | None = None

    def close(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None

    def read_back(self, copy: bytes, expected: BillRange) -> list[str]:
        """
        Return what is wrong with a bill's copy; nothing when it may leave.

        It must show the same account, amount due, due date and number of pages, hold no page that
        may be a neighbour's, and pass the audit.
        """
        try:
            if self._child is None:
                self._child = Child(None, self._patterns)
            inspected = self._child.inspect(copy, len(expected.pages))
        except ChildFailed as failure:
            self.close()
            return [f"cannot be read back: {failure}"]
        return [*inspected["findings"], *self._differences(inspected, expected)]

    def _differences(self, inspected: dict[str, Any], expected: BillRange) -> list[str]:
        pages = [facts_from_message(message) for message in inspected["facts"]]
        own = account_key(expected.account)
        shown = {account_key(account) for page in pages for account in page.accounts}
        strangers = self._neighbours.accounts.intersection(inspected["numbers"])

        found = []
        if inspected["pages"] != len(expected.pages):
            found.append(f"has {inspected['pages']} pages instead of {len(expected.pages)}")
        if shown != {own}:
            found.append("does not show its account, or shows another one")
        if any(account_key(stranger) != own for stranger in strangers):
            found.append("has a page that prints the number of another account alone")
        if _first_amount(pages) != expected.amount_due:
            found.append("does not show its amount due")
        if _first_due_date(pages) != expected.due_on:
            found.append("does not show its due date")
        return found


def read_back(
    copy: bytes, expected: BillRange, patterns: Patterns, others: Collection[str] = ()
) -> list[str]:
    """Read one copy back; see Verifier.read_back. `others` are other accounts as printed."""
    verifier = Verifier(patterns, Neighbours(frozenset(others)))
    try:
        return verifier.read_back(copy, expected)
    finally:
        verifier.close()


def _is_distinctive(account: str) -> bool:
    signs = len(account_key(account))
    if signs >= FEWEST_SIGNS:
        return True
    return signs >= FEWEST_SIGNS_WITH_SEPARATORS and len(account) - signs >= 2


def _first_amount(pages: list[PageFacts]) -> object:
    return next((page.amounts[0] for page in pages if page.amounts), None)


def _first_due_date(pages: list[PageFacts]) -> object:
    return next((page.due_dates[0] for page in pages if page.due_dates), None)
