"""A year of closes, due dates, draws and reminders; the holidays are those of 2027."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from rules.calendars import (
    DueRule,
    bank_closed_days,
    due_rule,
    is_working_day,
    next_period,
    office_closed_days,
)
from rules.mail.closed_days import MailOnClosedDay
from rules.mail.reminders import LadderStep, plan_reminders
from rules.money.autopay import OnClosedDay
from rules.year_calendar import CalendarEventKind, CyclePlan, YearPlan, plan_year

REMINDERS = plan_reminders(days_before_due=3, days_after_due=1, at=time(6), cut_off_days=14).steps
PLAN = YearPlan(DueRule(20), (5,), REMINDERS, office_closed_days("US"), bank_closed_days())


def events(plan=PLAN, year=2027):
    return [event for month in plan_year(year, plan) for event in month.events]


def the(kind, period, plan=PLAN, days=None):
    (found,) = [
        event
        for event in events(plan)
        if (event.kind, event.period) == (kind, period) and days in (None, event.days)
    ]
    return found


def test_a_year_has_twelve_closes_and_december_before_is_closed_in_january():
    closes = [
        (event.period, event.on) for event in events() if event.kind is CalendarEventKind.CLOSE
    ]

    assert 12 == len(closes)
    assert ("2026-12", date(2027, 1, 4)) == closes[0]  # the 1st is a holiday, then a weekend
    assert ("2027-11", date(2027, 12, 1)) == closes[-1]


def test_every_event_lies_in_its_month_in_order():
    for month in plan_year(2027, PLAN):
        days = [event.on for event in month.events]
        assert {month.first} == {day.replace(day=1) for day in days}
        assert sorted(days) == days


def test_the_days_on_which_nobody_works_are_named_apart():
    months = plan_year(2027, PLAN)

    assert (date(2027, 11, 11), date(2027, 11, 25)) == months[10].office_closed
    assert (date(2027, 12, 24),) == months[11].office_closed[:1]  # observed: Christmas is Saturday
    assert () == months[11].banks_closed  # no bank closes for a Saturday


@pytest.mark.parametrize(
    ("period", "on", "mark"),
    [
        pytest.param("2027-02", date(2027, 3, 15), None, id="a banking day stays"),
        pytest.param("2027-01", date(2027, 2, 12), "moved from Mon Feb 15, a bank holiday",
                     id="a bank holiday moves it"),
        pytest.param("2027-04", date(2027, 5, 14), "moved from Sat May 15, a weekend",
                     id="a weekend moves it"),
    ],
)  # fmt: skip
def test_a_draw_that_moves_is_marked(period, on, mark):
    found = the(CalendarEventKind.DRAW, period)

    assert on == found.on
    assert ((mark,) if mark else ()) == found.marks


def test_draws_that_meet_on_one_day_are_marked():
    plan = replace(PLAN, days_prior=(5, 6))

    found = [the(CalendarEventKind.DRAW, "2027-04", plan, days) for days in (-5, -6)]

    assert [date(2027, 5, 14)] * 2 == [one.on for one in found]
    assert all("2 draw days fall on one" in one.marks for one in found)


def test_a_draw_too_soon_for_its_notice_is_marked():
    plan = replace(PLAN, days_prior=(10,))

    assert ("9 days after the close: a notice of 10 is impossible",) == the(
        CalendarEventKind.DRAW, "2027-02", plan
    ).marks


def test_a_draw_before_the_close_happens_with_it():
    plan = replace(PLAN, due=DueRule(10), days_prior=(9,), on_closed_day=OnClosedDay.SAME)

    found = the(CalendarEventKind.DRAW, "2026-12", plan)

    assert date(2027, 1, 4) == found.on
    assert "not after the close: drawn at once" in found.marks


def test_a_close_near_the_due_date_is_marked():
    plan = replace(PLAN, due=DueRule(15), least_days_to_due=14)

    assert ("11 days before the due date, 14 are wanted",) == the(
        CalendarEventKind.CLOSE, "2026-12", plan
    ).marks
    assert () == the(CalendarEventKind.CLOSE, "2027-02", plan).marks


@pytest.mark.parametrize(
    ("due", "marks"),
    [(DueRule(20), ("on a weekend",)), (DueRule(15), ("the office is closed",)), (DueRule(18), ())],
)
def test_a_due_date_on_which_nobody_works_is_marked(due, marks):
    assert marks == the(CalendarEventKind.DUE, "2027-01", replace(PLAN, due=due)).marks


def test_a_reminder_before_the_close_is_marked():
    plan = replace(PLAN, due=DueRule(5))

    found = the(CalendarEventKind.REMINDER, "2026-12", plan, days=-3)

    assert ("not after the close: nobody has the bill yet",) == found.marks


def test_a_past_due_mail_before_the_office_could_take_a_payment_is_marked():
    assert ("before the office could take a payment after Sat Feb 20",) == the(
        CalendarEventKind.REMINDER, "2027-01", days=1
    ).marks
    assert () == the(CalendarEventKind.REMINDER, "2027-03", days=1).marks


def test_a_reminder_that_moves_off_a_closed_day_says_from_where():
    plan = replace(PLAN, mail_on_closed_day=MailOnClosedDay.NEXT)

    moved = [one for one in events(plan) if any("moved from" in mark for mark in one.marks)]

    reminders = [one for one in moved if one.kind is CalendarEventKind.REMINDER]
    assert reminders
    assert all(is_working_day(one.on, plan.office_closed) for one in reminders)


def test_a_late_step_of_the_ladder_comes_from_the_year_before():
    ladder = [LadderStep("past-due-final", 365)]
    steps = plan_reminders(
        days_before_due=3, days_after_due=1, at=time(6), cut_off_days=14, ladder=ladder
    ).steps

    found = [one for one in events(replace(PLAN, reminders=steps)) if one.form == "past-due-final"]

    assert 12 == len(found)
    assert ("2025-12", date(2027, 1, 20)) == (found[0].period, found[0].on)


@pytest.mark.parametrize(
    ("ends_on", "due_on"),
    [(date(2027, 1, 31), date(2027, 2, 28)), (date(2027, 11, 30), date(2027, 12, 31))],
)
def test_a_month_without_the_day_has_its_due_date_on_the_last(ends_on, due_on):
    assert due_on == DueRule(31).due_on(ends_on)


def test_the_due_rule_is_what_past_periods_show():
    periods = [(date(2026, month, 28), date(2026, month + 1, 20)) for month in range(1, 8)]
    odd = [(date(2026, 9, 30), date(2026, 10, 22))]

    assert DueRule(20, 1) == due_rule(periods + odd)
    assert DueRule(22, 1) == due_rule(odd)
    assert None is due_rule([])


def test_the_due_rule_is_that_of_the_last_year_and_of_two_as_frequent_the_newer():
    before = [(date(2024, month, 28), date(2024, month, 28)) for month in range(1, 13)]
    of_a_year = [(date(2025, month, 28), date(2025, month, 28)) for month in range(1, 8)]
    changed = [(date(2025, month, 28), date(2025, month + 1, 20)) for month in range(8, 12)]
    over_new_year = [(date(2025, 12, 28), date(2026, 1, 20))]
    even_more = [(date(2026, 1, 28), date(2026, 2, 20))]

    assert DueRule(28, 0) == due_rule(before + of_a_year + changed + over_new_year)
    assert DueRule(20, 1) == due_rule(before + of_a_year + changed + over_new_year + even_more)
    assert DueRule(20, 1) == due_rule(over_new_year)


@pytest.mark.parametrize(
    ("ends_on", "following"),
    [
        (date(2026, 10, 31), (date(2026, 11, 1), date(2026, 11, 30))),
        (date(2026, 12, 31), (date(2027, 1, 1), date(2027, 1, 31))),
        (date(2028, 1, 31), (date(2028, 2, 1), date(2028, 2, 29))),
        (date(2026, 11, 15), (date(2026, 11, 16), date(2026, 12, 15))),
        (date(2026, 2, 27), (date(2026, 2, 28), date(2026, 3, 27))),
        (date(2026, 1, 30), (date(2026, 1, 31), date(2026, 2, 27))),
    ],
)
def test_the_next_period_follows_without_a_gap(ends_on, following):
    assert following == next_period(ends_on)


def test_each_cycle_ends_closes_and_falls_due_on_days_of_its_own():
    cycles = (CyclePlan("A", 31, DueRule(20)), CyclePlan("B", 15, DueRule(5)))
    plan = replace(PLAN, cycles=cycles)

    found = [
        (event.kind, event.period, event.cycle, event.on)
        for event in events(plan)
        if event.kind in (CalendarEventKind.CLOSE, CalendarEventKind.DUE)
        and event.period.startswith("2027-02")
    ]

    assert [
        (CalendarEventKind.CLOSE, "2027-02-B", "B", date(2027, 2, 16)),
        (CalendarEventKind.CLOSE, "2027-02-A", "A", date(2027, 3, 1)),
        (CalendarEventKind.DUE, "2027-02-B", "B", date(2027, 3, 5)),
        (CalendarEventKind.DUE, "2027-02-A", "A", date(2027, 3, 20)),
    ] == found
    assert 24 == sum(event.kind is CalendarEventKind.CLOSE for event in events(plan))
