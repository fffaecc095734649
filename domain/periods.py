"""A billing period and the export that closes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from domain.money import Money

FINAL_CYCLE = "final"  # final bills in a period of their own, which overlaps no other
BY_TEXT, BY_BOOKMARKS, BY_ATTACHMENTS = "text", "bookmarks", "attachments"
NAMED_BY = (BY_TEXT, BY_BOOKMARKS, BY_ATTACHMENTS)  # what names the account of a bulk file's pages
NOTICE = "-notice"  # how the forms end that remind of a bill and are none (rule 14)


@dataclass(frozen=True, slots=True)
class Period:
    """
    What a bill covers; all dates are local dates of the utility.

    `cycle` is the group of accounts that are billed together on dates of their own; "" where the
    utility bills all at once.
    """

    id: str
    starts_on: date
    ends_on: date
    due_on: date
    cycle: str = ""


@dataclass(frozen=True, slots=True)
class Boundary:
    """
    What an export surely knows and what it cannot know; moments.

    What the billing system had by `sure_until` is in the export, what came after `not_after` is
    not. Where the export says when it was written both are that moment: in the hour that clocks
    show twice the first and the second.
    """

    sure_until: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Counts and sums that the billing system printed; ours must agree to the cent."""

    accounts: int
    bills: int
    opening_balance: Money
    billed: Money
    payments: Money
    adjustments: Money
    penalties: Money
    closing_balance: Money


@dataclass(frozen=True, slots=True)
class BulkFile:
    """
    One PDF with many bills of one form, and the patterns that find its way about.

    `account`, `amount_due` and `due_on` are regular expressions over a page's text, group 1 being
    the value. `region` is left, top, right, bottom in points from the page's top left corner.
    `ignore` are signals that hold no page of this form, `not_accounts` finds numbers that look
    like accounts and are none, with `may_name_others` its pages name other accounts rightly, and
    `nameless` says whether pages that name none stand after their bill, before it, or never.

    `by` is what says whose the pages are: their text, the file's bookmarks of one `level` (1 is the
    outermost), or the names of files attached to it. `title` finds the account in such a bookmark
    or name; without one `account` does.
    """

    form: str
    file: str
    account: str
    amount_due: str | None = None
    due_on: str | None = None
    separator: str | None = None
    region: tuple[float, float, float, float] | None = None
    ignore: tuple[str, ...] = ()
    ignore_reason: str = ""
    not_accounts: str | None = None
    may_name_others: bool = False
    nameless: str = "after"
    by: str = BY_TEXT
    title: str | None = None
    level: int = 1


@dataclass(frozen=True, slots=True)
class Utility:
    name: str
    timezone: str
