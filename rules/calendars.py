"""Which days the office and the banks work."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import date, timedelta

from domain.failures import Misuse

ONE_DAY = timedelta(days=1)
SATURDAY = 5


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


def office_closed_days(code: str, own: Iterable[date] = ()) -> ClosedDays:
    """
    Return the closed days of a holiday calendar named `US`, `US-CO`, … or `none`.

    Raises Misuse for a country or state that the calendars do not know.
    """
    if code.strip().lower() in ("", "none"):
        return ClosedDays(own=own)
    import holidays  # it takes long to load

    country, _, state = code.strip().partition("-")
    try:
        calendar = holidays.country_holidays(country.upper(), subdiv=state.upper() or None)
    except NotImplementedError:
        raise Misuse(
            f"utility.holidays: there is no holiday calendar {code!r}; "
            "write a country or a state such as US or US-CO, or none."
        ) from None
    return ClosedDays(calendar, own)


def bank_closed_days() -> ClosedDays:
    """Return the holidays of the Federal Reserve, on which no bank moves money."""
    import holidays

    return ClosedDays(holidays.financial_holidays("XFED"))


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
