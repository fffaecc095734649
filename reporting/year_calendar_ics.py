"""A year's calendar as an iCalendar file (RFC 5545), for the calendars that people keep."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import icalendar

from reporting.year_calendar_words import YearCalendar, say_event
from rules.year_calendar import Event, EventKind

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
    if event.kind is EventKind.REMINDER:
        local = datetime.combine(event.on, calendar.at, ZoneInfo(calendar.timezone))
        made.add("dtstart", local)
    else:
        made.add("dtstart", event.on)
    return made


def _name(event: Event) -> str:
    """Name an event by what it is about, whatever day it falls on."""
    about = event.form or (str(-event.days) if event.kind is EventKind.DRAW else "")
    return "-".join(filter(None, (event.kind.value, event.period, about)))
