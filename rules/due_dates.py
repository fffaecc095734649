"""By which day bills are due, and which period comes next, as those before them show."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DueRule:
    """By which day bills are due: a day of the month, so many months after the period's end."""

    day: int
    months: int = 1

    def due_on(self, ends_on: date) -> date:
        """Return the due date; a month without that day has it on its last one."""
        first = first_of_month(ends_on, self.months)
        return first.replace(day=min(self.day, monthrange(first.year, first.month)[1]))


def due_rule(periods: Sequence[tuple[date, date]]) -> DueRule | None:
    """
    Return the due rule that past periods show, None before the first; (ends_on, due_on) each.

    The most frequent one of the last twelve, of two the newer one. A due date at its month's end
    stands for the last day.
    """
    shown = [
        DueRule(due_on.day, _months_between(ends_on, due_on))
        for ends_on, due_on in sorted(periods)[-12:]
    ]
    counts = Counter(reversed(shown))
    return counts.most_common(1)[0][0] if counts else None


def next_period(starts_on: date, ends_on: date) -> tuple[date, date]:
    """Return the first and the last day of the period that follows; months follow months."""
    first = ends_on + ONE_DAY
    if first.day == 1 and starts_on.day == 1:
        return first, first.replace(day=monthrange(first.year, first.month)[1])
    following = first_of_month(first, 1)
    day = min(first.day, monthrange(following.year, following.month)[1])
    return first, following.replace(day=day) - ONE_DAY


def first_of_month(day: date, later: int = 0) -> date:
    """Return the first day of a day's month, or of one so many months later."""
    months = day.year * 12 + day.month - 1 + later
    return date(months // 12, months % 12 + 1, 1)


def last_of_month(year: int, month: int) -> date:
    """Return the last day of a month; month 0 is December of the year before."""
    return first_of_month(date(year, 1, 1), month) - ONE_DAY


def _months_between(earlier: date, later: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month
