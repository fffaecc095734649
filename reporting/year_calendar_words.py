"""How the events of a year are written, for the screen, the page and the programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from domain.words import say_count
from rules.calendars import ClosedDays
from rules.due_dates import DueRule
from rules.year_calendar import Event, EventKind, MonthPlan, YearPlan

KINDS = {
    EventKind.PERIOD_END: "Period {period} ends",
    EventKind.CLOSE: "Close {period}",
    EventKind.DUE: "{period} is due",
    EventKind.DRAW: "Autopay of {period} is drawn, {when}",
    EventKind.REMINDER: "{form} mails of {period}",
}


@dataclass(frozen=True, slots=True)
class YearCalendar:
    """A planned year and what it was planned from; `at` is the reminders' local time of day."""

    year: int
    timezone: str
    utility: str
    at: time
    plan: YearPlan
    months: tuple[MonthPlan, ...]
    office_days: ClosedDays
    bank_days: ClosedDays

    @property
    def clashes(self) -> tuple[Event, ...]:
        return tuple(event for month in self.months for event in month.events if event.marks)


def say_event(event: Event) -> str:
    """Write `Autopay of 2027-01 is drawn, 5 days prior`."""
    days = -event.days
    when = f"{say_count(days, 'day')} prior" if days else "on the due date"
    form = event.form.capitalize()
    return KINDS[event.kind].format(period=event.period, when=when, form=form)


def say_due(rule: DueRule) -> str:
    """Write `day 20 of the month after the period`."""
    after = {0: "of the period's own month", 1: "of the month after the period"}
    return f"day {rule.day} {after.get(rule.months, f'{rule.months} months after the period')}"


def closed_days(calendar: YearCalendar, month: MonthPlan) -> Iterator[tuple[date, str]]:
    """Yield the days of a month on which office or banks are closed, and which of them and why."""
    for day in sorted({*month.office_closed, *month.banks_closed}):
        office, banks = day in month.office_closed, day in month.banks_closed
        who = "office and banks closed" if office and banks else ""
        who = who or ("office closed" if office else "banks closed")
        named = calendar.office_days if office else calendar.bank_days
        name = named.name_of(day)
        yield day, who if name == "closed" else f"{name}: {who}"


def to_lines(calendar: YearCalendar) -> Iterator[str]:
    """Write the year for the screen."""
    yield f"{calendar.year}: bills are due on {say_due(calendar.plan.due)}."
    for month in calendar.months:
        yield f"\n{month.first:%B %Y}"
        rows = [(one.on, say_event(one), one.marks) for one in month.events]
        rows += [(day, f"({why})", ()) for day, why in closed_days(calendar, month)]
        for on, text, marks in sorted(rows, key=lambda row: row[0]):
            yield f"  {on:%a} {on.day:>2}  {text}" + (f"  ! {'; '.join(marks)}" if marks else "")
    count = len(calendar.clashes)
    yield f"\n{say_count(count, 'clash', 'clashes')} marked with !." if count else "\nNo clashes."


def to_figures(calendar: YearCalendar) -> dict[str, Any]:
    """Write the year for programs."""
    return {
        "year": calendar.year,
        "timezone": calendar.timezone,
        "due_day": calendar.plan.due.day,
        "due_months_after": calendar.plan.due.months,
        "days_prior": list(calendar.plan.days_prior),
        "months": [
            {
                "month": f"{month.first:%Y-%m}",
                "office_closed": _days(month.office_closed),
                "banks_closed": _days(month.banks_closed),
                "events": [_event(calendar, one) for one in month.events],
            }
            for month in calendar.months
        ],
        "clashes": [_event(calendar, one) for one in calendar.clashes],
    }


def _event(calendar: YearCalendar, event: Event) -> dict[str, Any]:
    is_reminder = event.kind is EventKind.REMINDER
    return {
        "date": event.on.isoformat(),
        "time": f"{calendar.at:%H:%M}" if is_reminder else None,
        "kind": event.kind.value,
        "period": event.period,
        "days_from_due": event.days,
        "form": event.form,
        "text": say_event(event),
        "marks": list(event.marks),
    }


def _days(days: Sequence[date]) -> list[str]:
    return [day.isoformat() for day in days]
