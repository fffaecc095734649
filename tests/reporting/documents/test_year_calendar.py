"""A year's calendar as lines, as a page and as an iCalendar file."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import icalendar
import pytest

from reporting.documents.year_calendar import (
    YearCalendar,
    render_year,
    to_figures,
    to_ics,
    to_lines,
)
from rules.calendars import DueRule, bank_closed_days, office_closed_days
from rules.mail.reminders import plan_reminders
from rules.year_calendar import YearPlan, plan_year

WRITTEN = datetime(2026, 11, 3, 16, 0, tzinfo=UTC)
ZONE = "America/Denver"


def a_calendar(due_day: int = 20, utility: str = "City of Larkspur") -> YearCalendar:
    reminders = plan_reminders(
        days_before_due=3, days_after_due=1, at=time(6), cut_off_days=14
    ).steps
    office, banks = office_closed_days("US"), bank_closed_days()
    plan = YearPlan(DueRule(due_day), (5, 0), reminders, office, banks)
    months = plan_year(2027, plan)
    return YearCalendar(2027, ZONE, utility, time(6), plan, months, office, banks)


@pytest.fixture(scope="module")
def file() -> icalendar.Calendar:
    return icalendar.Calendar.from_ical(
        to_ics(a_calendar(), written_at=WRITTEN, domain="x.example")
    )


def test_the_lines_name_every_day_of_a_month_in_order():
    lines = "\n".join(to_lines(a_calendar())).split("\n\n")

    assert "2027: bills are due on day 20 of the month after the period." == lines[0]
    assert [
        "February 2027",
        "  Mon  1  Close 2027-01",
        "  Fri 12  Autopay of 2027-01 is drawn, 5 days prior  ! moved from Mon Feb 15, "
        "a bank holiday",
        "  Mon 15  (Washington's Birthday: office and banks closed)",
        "  Wed 17  Payment-due mails of 2027-01",
        "  Fri 19  Autopay of 2027-01 is drawn, on the due date  ! moved from Sat Feb 20, "
        "a weekend",
        "  Sat 20  2027-01 is due  ! on a weekend",
        "  Sun 21  Past-due mails of 2027-01  ! before the office could take a payment after "
        "Sat Feb 20",
        "  Sun 28  Period 2027-02 ends",
    ] == lines[2].splitlines()


def test_programs_read_the_same_with_the_clashes_apart():
    figures = to_figures(a_calendar())

    assert (2027, 20, 1, [5, 0], 12) == (
        figures["year"],
        figures["due_day"],
        figures["due_months_after"],
        figures["days_prior"],
        len(figures["months"]),
    )
    marked = [one for month in figures["months"] for one in month["events"] if one["marks"]]
    assert marked == figures["clashes"] != []
    assert {"06:00"} == {
        one["time"]
        for month in figures["months"]
        for one in month["events"]
        if one["kind"] == "reminder"
    }


def test_the_file_has_every_event_once_under_a_name_that_stays(file):
    events = list(file.walk("VEVENT"))
    moved = icalendar.Calendar.from_ical(
        to_ics(a_calendar(21), written_at=WRITTEN + timedelta(days=1), domain="x.example")
    )

    names = [str(event["UID"]) for event in events]
    assert 12 * 7 == len(set(names)) == len(names)  # end, close, due, 2 draws, 2 reminders
    assert "draw-2027-01-5@x.example" in names
    assert set(names) == {str(event["UID"]) for event in moved.walk("VEVENT")}


def test_the_file_keeps_to_its_standard(file):
    content = to_ics(a_calendar(), written_at=WRITTEN, domain="x.example")

    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert b"\n" not in b"".join(lines)
    assert ("2.0", True) == (file["VERSION"], bool(file["PRODID"]))
    for event in file.walk("VEVENT"):
        assert {"UID", "DTSTAMP", "DTSTART", "SUMMARY"} <= set(event)
    assert [] == [error for event in file.walk() for error in getattr(event, "errors", ())]


def test_reminders_stand_at_their_local_time_and_the_rest_is_all_day(file):
    starts = {str(event["UID"]): event["DTSTART"].dt for event in file.walk("VEVENT")}

    reminder = starts["reminder-2027-06-payment-due@x.example"]
    assert (date(2027, 7, 17), time(6)) == (reminder.date(), reminder.time())
    assert timedelta(hours=-6) == reminder.utcoffset()  # Denver in summer
    assert date(2027, 2, 1) == starts["close-2027-01@x.example"]
    assert [ZONE] == [str(zone["TZID"]) for zone in file.walk("VTIMEZONE")]


def test_the_page_needs_no_other_file_and_shows_what_clashes():
    page = render_year(a_calendar(), written_at=WRITTEN, version="1.0")

    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/", "")
    assert "<script" not in page
    assert "moved from Mon Feb 15, a bank holiday" in page
    assert page.index("To look at") < page.index("January")
    assert "Tuesday, November 3, 2026 at 9:00 AM MST" in page


def test_a_name_cannot_leave_its_place_on_the_page():
    page = render_year(a_calendar(utility="</style><b>City"), written_at=WRITTEN, version="1.0")

    assert "<b>City" not in page
