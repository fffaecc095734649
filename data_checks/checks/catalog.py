"""All checks, root causes first."""

from __future__ import annotations

from dataclasses import replace

from data_checks.check import Check
from data_checks.checks.accounts import ACCOUNTS
from data_checks.checks.autopay import AUTOPAY, MANDATES
from data_checks.checks.balances import BALANCES
from data_checks.checks.bills import AMOUNTS, BILLS
from data_checks.checks.boundary import BOUNDARY
from data_checks.checks.delivery import DELIVERY
from data_checks.checks.files import FILES
from data_checks.checks.totals import TOTALS
from data_checks.checks.usage import USAGE
from data_checks.checks.vanished import VANISHED
from domain.checks import Severity

ROOT_CAUSES = (
    "unreadable-row",
    "account-duplicate",
    "sensitive-data",
    "page-unassigned",
    "page-doubted",
    "bill-copy",
    "bill-unknown-account",
    "bill-duplicate",
    "bill-missing",
    "bill-incomplete",
    "roll-forward",
    "bill-amount",
    "bill-due-date",
    "control-totals",
)

# Warnings about what leaves with the close: whoever says yes has looked at them before.
BEFORE_YES = frozenset(
    {
        *("usage-outlier", "usage-negative", "amount-outlier", "large-bill", "negative-bill"),
        *("closed-account-billed", "page-count", "movement-twice", "wrong-sign"),
        *("large-adjustment", "opening-changed", "account-vanished", "vanished", "billed-total"),
        *("notice-short", "payments-not-in-export", "booked-otherwise", "booked-twice"),
        *("booked-on-other-account", "email-shared", "due-date-window"),
    }
)

_BY_SUBJECT = (
    *FILES,
    *ACCOUNTS,
    *VANISHED,
    *BALANCES,
    *BOUNDARY,
    *BILLS,
    *AMOUNTS,
    *TOTALS,
    *USAGE,
    *DELIVERY,
    *AUTOPAY,
    *MANDATES,
)


def _rank(check: Check) -> tuple[int, bool]:
    """Order a cause before what follows from it: a row that is missing also spoils a total."""
    known = check.name in ROOT_CAUSES
    place = ROOT_CAUSES.index(check.name) if known else len(ROOT_CAUSES)
    return place, check.severity is Severity.WARNING


CATALOG: tuple[Check, ...] = tuple(
    replace(check, before_yes=check.name in BEFORE_YES) for check in sorted(_BY_SUBJECT, key=_rank)
)
