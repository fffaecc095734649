"""The accounts that must not stand on a page of somebody else's bill."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from domain.accounts import account_key
from domain.bills import BillRange
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


def _is_distinctive(account: str) -> bool:
    signs = len(account_key(account))
    if signs >= FEWEST_SIGNS:
        return True
    return signs >= FEWEST_SIGNS_WITH_SEPARATORS and len(account) - signs >= 2
