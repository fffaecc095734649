"""A year's calendar as one HTML page, to be looked at or put on the wall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import icalendar

from domain.words import say_count
from reporting.report.page import environment
from rules.calendars import ClosedDays, DueRule
from rules.year_calendar import CalendarEventKind, Event, MonthPlan, YearPlan

KINDS = {
    CalendarEventKind.PERIOD_END: "Period {period} ends",
    CalendarEventKind.CLOSE: "Close {period}",
    CalendarEventKind.DUE: "{period} is due",
    CalendarEventKind.DRAW: "Autopay of {period} is drawn, {when}",
    CalendarEventKind.REMINDER: "{form} mails of {period}",
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
    if calendar.plan.cycles:
        yield f"{calendar.year}, by cycle:"
    for cycle in calendar.plan.cycles:
        yield f"  {cycle.name or 'without a cycle'}: bills are due on {say_due(cycle.due)}."
    if not calendar.plan.cycles:
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
        "cycles": [
            {
                "cycle": cycle.name,
                "end_day": cycle.end_day,
                "due_day": cycle.due.day,
                "due_months_after": cycle.due.months,
            }
            for cycle in calendar.plan.cycles
        ],
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
    is_reminder = event.kind is CalendarEventKind.REMINDER
    return {
        "date": event.on.isoformat(),
        "time": f"{calendar.at:%H:%M}" if is_reminder else None,
        "kind": event.kind.value,
        "period": event.period,
        "cycle": event.cycle,
        "days_from_due": event.days,
        "form": event.form,
        "text": say_event(event),
        "marks": list(event.marks),
    }


def _days(days: Sequence[date]) -> list[str]:
    return [day.isoformat() for day in days]


def render_year(calendar: YearCalendar, *, written_at: datetime, version: str) -> str:
    """Return the year as HTML that needs no other file; what clashes stands before all else."""
    return (
        environment()
        .get_template("year_calendar.html")
        .render(
            calendar=calendar,
            months=[
                (month, rows_of(calendar, index)) for index, month in enumerate(calendar.months)
            ],
            clashes=[(one.on, say_event(one), one.marks) for one in calendar.clashes],
            due=say_due(calendar.plan.due),
            written_at=written_at,
            version=version,
        )
    )


def rows_of(calendar: YearCalendar, index: int) -> list[dict[str, object]]:
    """Return the lines of a month in the order of their days, closed days among them."""
    month = calendar.months[index]
    rows: list[dict[str, object]] = [
        {"on": day, "text": why, "kind": "closed", "marks": ()}
        for day, why in closed_days(calendar, month)
    ]
    rows += [
        {"on": one.on, "text": say_event(one), "kind": one.kind.value, "marks": one.marks}
        for one in month.events
    ]
    return sorted(rows, key=lambda row: str(row["on"]))


PRODUCT = "-//billclose//year calendar//EN"


def to_ics(calendar: YearCalendar, *, written_at: datetime, domain: str) -> bytes:
    """
    Return the year's events, the same UID for the same event whenever it is written.

    A calendar that reads the file again so changes what it has and doubles nothing. Reminders
    stand at their local time in the utility's zone, everything else is all day.
    """
    file = icalendar.Calendar()
    file.add("prodid", PRODUCT)
    file.add("version", "2.0")
    file.add("x-wr-calname", f"Billing {calendar.year}")
    file.add("x-wr-timezone", calendar.timezone)
    for month in calendar.months:
        for event in month.events:
            file.add_component(_component(calendar, event, written_at, domain))
    file.add_missing_timezones()
    content: bytes = file.to_ical()
    return content


def _component(
    calendar: YearCalendar, event: Event, written_at: datetime, domain: str
) -> icalendar.Event:
    made = icalendar.Event()
    made.add("uid", f"{_name(event)}@{domain}")
    made.add("dtstamp", written_at)
    made.add("summary", ("! " if event.marks else "") + say_event(event))
    if event.marks:
        made.add("description", "\n".join(event.marks))
    made.add("categories", [event.kind.value])
    made.add("transp", "TRANSPARENT")  # nobody is busy by it
    if event.kind is CalendarEventKind.REMINDER:
        local = datetime.combine(event.on, calendar.at, ZoneInfo(calendar.timezone))
        made.add("dtstart", local)
    else:
        made.add("dtstart", event.on)
    return made


def _name(event: Event) -> str:
    """Name an event by what it is about, whatever day it falls on."""
    about = event.form or (str(-event.days) if event.kind is CalendarEventKind.DRAW else "")
    return "-".join(filter(None, (event.kind.value, event.period, about)))
