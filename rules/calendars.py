"""Which days the office and the banks work."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from domain.failures import Misuse

ONE_DAY = timedelta(days=1)
SATURDAY = 5
_STATES = """
    AL AK AZ AR CA CO CT DC DE FL GA HI ID IL IN IA KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ
    NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY
"""
STATES = frozenset(_STATES.split())


class ClosedDays:
    """The holidays of one calendar and the office's own closed days, without the weekends."""

    def __init__(self, calendar: Container[date] = (), own: Iterable[date] = ()) -> None:
        self._calendar = calendar
        self._own = frozenset(own)

    def __contains__(self, day: object) -> bool:
        return day in self._own or day in self._calendar

    def name_of(self, day: date) -> str:
        """Return what the calendar calls a closed day; the office's own have no name."""
        found = getattr(self._calendar, "get", lambda _day: None)(day)
        return str(found or "closed")


class _ToBeLoaded:
    """A calendar that is loaded when a day is asked for: most commands of a night ask for none."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load

    @cached_property
    def _calendar(self) -> Any:
        return self._load()

    def __contains__(self, day: object) -> bool:
        return day in self._calendar

    def get(self, day: date) -> Any:
        return self._calendar.get(day)

    def load(self) -> None:
        """Load it now; raises what loading raises."""
        _ = self._calendar


def office_closed_days(code: str, own: Iterable[date] = ()) -> ClosedDays:
    """
    Return the closed days of a holiday calendar named `US`, `US-CO`, … or `none`.

    Raises Misuse for a country or state that the calendars do not know.
    """
    if code.strip().lower() in ("", "none"):
        return ClosedDays(own=own)
    country, _, state = code.strip().upper().partition("-")
    calendar = _ToBeLoaded(lambda: _country(code, country, state))
    if country != "US" or (state and state not in STATES):
        calendar.load()  # the library alone knows whether there is such a one
    return ClosedDays(calendar, own)


def _country(code: str, country: str, state: str) -> Any:
    import holidays  # it loads every country there is

    try:
        return holidays.country_holidays(country, subdiv=state or None)
    except NotImplementedError:
        raise Misuse(
            f"utility.holidays: there is no holiday calendar {code!r}; "
            "write a country or a state such as US or US-CO, or none."
        ) from None


def bank_closed_days() -> ClosedDays:
    """Return the holidays of the Federal Reserve, on which no bank moves money."""
    return ClosedDays(_ToBeLoaded(_federal_reserve))


def _federal_reserve() -> Any:
    import holidays

    return holidays.financial_holidays("XFED")


def is_working_day(day: date, closed: Container[date]) -> bool:
    return day.weekday() < SATURDAY and day not in closed


def next_working_day(day: date, closed: Container[date]) -> date:
    """Return the day itself or the first working day after it."""
    while not is_working_day(day, closed):
        day += ONE_DAY
    return day


def previous_working_day(day: date, closed: Container[date]) -> date:
    """Return the day itself or the last working day before it."""
    while not is_working_day(day, closed):
        day -= ONE_DAY
    return day


def earliest_close(period_ends_on: date, closed: Container[date]) -> date:
    """
    Return the first day on which a period may be closed (rules 5, 6).

    Never its own last day: readings and charges of that day may still come. The day after, or the
    office's first business day from then on.
    """
    return next_working_day(period_ends_on + ONE_DAY, closed)


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


def next_period(ends_on: date) -> tuple[date, date]:
    """Return the first and the last day of the period that follows; months follow months."""
    first = ends_on + ONE_DAY
    following = first_of_month(first, 1)
    day = min(first.day, monthrange(following.year, following.month)[1])
    return first, following.replace(day=day) - ONE_DAY


def first_of_month(day: date, later: int) -> date:
    """Return the first day of the month that comes so many months after a day's own."""
    months = day.year * 12 + day.month - 1 + later
    return date(months // 12, months % 12 + 1, 1)


def last_of_month(year: int, month: int) -> date:
    """Return the last day of a month; month 0 is December of the year before."""
    return first_of_month(date(year, 1, 1), month) - ONE_DAY


def _months_between(earlier: date, later: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month
