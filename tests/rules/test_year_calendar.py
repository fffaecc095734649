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
    last_of_month,
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


APRIL_15 = date(2027, 4, 15)  # a Thursday, five days before the bills of March are due
EASY = replace(PLAN, office_closed=set(), banks_closed=set(), reminders=())


@pytest.mark.parametrize(
    ("days", "banks_closed", "moves", "on", "marks"),
    [
        (5, {APRIL_15}, OnClosedDay.PREVIOUS, date(2027, 4, 14),
         ("moved from Thu Apr 15, a bank holiday",)),
        (5, {APRIL_15}, OnClosedDay.NEXT, date(2027, 4, 16),
         ("moved from Thu Apr 15, a bank holiday",)),
        (5, {APRIL_15}, OnClosedDay.SAME, APRIL_15, ("the banks are closed",)),
        (4, {date(2027, 4, 16)}, OnClosedDay.NEXT, date(2027, 4, 19),
         ("moved from Fri Apr 16, a bank holiday",)),
        (3, set(), OnClosedDay.NEXT, date(2027, 4, 19), ("moved from Sat Apr 17, a weekend",)),
        (2, set(), OnClosedDay.NEXT, date(2027, 4, 19), ("moved from Sun Apr 18, a weekend",)),
        (3, set(), OnClosedDay.SAME, date(2027, 4, 17), ("the banks are closed",)),
        (1, set(), OnClosedDay.SAME, date(2027, 4, 19), ()),
    ],
)  # fmt: skip
def test_a_draw_goes_where_the_office_says_and_is_marked(days, banks_closed, moves, on, marks):
    plan = replace(EASY, days_prior=(days,), banks_closed=banks_closed, on_closed_day=moves)

    found = the(CalendarEventKind.DRAW, "2027-03", plan)

    assert (on, -days, marks) == (found.on, found.days, found.marks)


@pytest.mark.parametrize(
    ("days", "on", "marks"),
    [
        (20, date(2027, 4, 1), ("not after the close: drawn at once",)),
        (19, date(2027, 4, 1), ("not after the close: drawn at once",)),
        (18, date(2027, 4, 2), ("1 day after the close: a notice of 4 is impossible",)),
        (16, date(2027, 4, 4), ("3 days after the close: a notice of 4 is impossible",)),
        (15, date(2027, 4, 5), ()),
    ],
)
def test_a_draw_is_marked_where_no_notice_could_come_before_it(days, on, marks):
    """The bills of March are closed on Thursday, April 1, and due on the 20th."""
    plan = replace(EASY, days_prior=(days,), notice_days=4, on_closed_day=OnClosedDay.SAME)

    found = the(CalendarEventKind.DRAW, "2027-03", plan)

    at_the_banks = ("the banks are closed",) if on.weekday() > 4 else ()
    assert (on, (*at_the_banks, *marks)) == (found.on, found.marks)


def test_each_chosen_number_of_days_is_drawn_once_the_earliest_first():
    draws = [
        event.days
        for event in events(replace(EASY, days_prior=(0, 5, 3, 5)))
        if (event.kind, event.period) == (CalendarEventKind.DRAW, "2027-03")
    ]

    assert [-5, -3, 0] == draws


def test_draws_that_meet_on_one_day_are_marked():
    mails = plan_reminders(days_before_due=6, days_after_due=1, at=time(6), cut_off_days=14)
    plan = replace(PLAN, days_prior=(5, 6, 5), reminders=mails.steps)

    of_the_day = [one for one in events(plan) if one.on == date(2027, 5, 14)]
    met = [one.days for one in of_the_day if one.kind is CalendarEventKind.DRAW]
    found = [the(CalendarEventKind.DRAW, "2027-04", plan, days) for days in (-5, -6)]

    assert [date(2027, 5, 14)] * 2 == [one.on for one in found]
    assert [-6, -5] == met  # the earlier of the two chosen days first
    assert all("2 draw days fall on one" in one.marks for one in found)
    assert [()] == [one.marks for one in of_the_day if one.kind is CalendarEventKind.REMINDER]


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

    assert ("11 days before the due date, not at least 14 days before it",) == the(
        CalendarEventKind.CLOSE, "2026-12", plan
    ).marks
    assert () == the(CalendarEventKind.CLOSE, "2027-02", plan).marks


@pytest.mark.parametrize(
    ("due", "marks"),
    [
        (DueRule(16), ()),
        (DueRule(15), ()),
        (DueRule(14), ("13 days before the due date, not at least 14 days before it",)),
        (DueRule(2), ("1 day before the due date, not at least 14 days before it",)),
        (DueRule(1), ("on the due date, not at least 14 days before it",)),
        (DueRule(31, 0), ("1 day after the due date, not at least 14 days before it",)),
        (DueRule(30, 0), ("2 days after the due date, not at least 14 days before it",)),
    ],
)
def test_a_close_says_how_it_stands_to_its_due_date(due, marks):
    """The bills of March may be closed on Thursday, April 1."""
    found = the(CalendarEventKind.CLOSE, "2027-03", replace(EASY, due=due))

    assert (date(2027, 4, 1), marks) == (found.on, found.marks)


def test_the_bank_holiday_on_a_due_date_is_marked_where_the_office_is_open():
    day = DueRule(20).due_on(date(2027, 3, 31))
    both = replace(EASY, office_closed={day}, banks_closed={day})

    assert [("the banks are closed",), ("the office is closed",)] == [
        the(CalendarEventKind.DUE, "2027-03", plan).marks
        for plan in (replace(EASY, banks_closed={day}), both)
    ]


@pytest.mark.parametrize(
    ("due", "marks"),
    [
        (DueRule(20), ("on a weekend",)),
        (DueRule(21), ("on a weekend",)),
        (DueRule(19), ()),  # a Friday
        (DueRule(15), ("the office is closed",)),
        (DueRule(18), ()),
    ],
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


NEXT, PREVIOUS = MailOnClosedDay.NEXT, MailOnClosedDay.PREVIOUS


@pytest.mark.parametrize(
    ("before", "moves", "on", "marks"),
    [
        (1, NEXT, date(2027, 4, 19), ()),
        (2, NEXT, date(2027, 4, 19), ("moved from Sun Apr 18, a weekend",)),
        (3, NEXT, date(2027, 4, 19), ("moved from Sat Apr 17, a weekend",)),
        (4, NEXT, date(2027, 4, 19), ("moved from Fri Apr 16, the office is closed",)),
        (4, PREVIOUS, date(2027, 4, 15), ("moved from Fri Apr 16, the office is closed",)),
        (19, NEXT, date(2027, 4, 1), ("not after the close: nobody has the bill yet",)),
        (18, NEXT, date(2027, 4, 2), ()),
    ],
)
def test_a_payment_due_mail_that_moves_or_comes_before_the_bill_is_marked(before, moves, on, marks):
    steps = plan_reminders(days_before_due=before, days_after_due=1, at=time(6), cut_off_days=14)
    plan = replace(EASY, reminders=steps.steps, office_closed={date(2027, 4, 16)},
                   mail_on_closed_day=moves)  # fmt: skip

    found = the(CalendarEventKind.REMINDER, "2027-03", plan, days=-before)

    assert (on, "payment-due", marks) == (found.on, found.form, found.marks)


@pytest.mark.parametrize(
    ("after", "is_marked"), [(0, False), (1, True), (2, True), (3, True), (4, False)]
)
def test_nobody_is_dunned_before_a_day_on_which_the_office_took_payments(after, is_marked):
    """Due on Saturday, February 20; the office is closed on Monday as well."""
    steps = plan_reminders(days_before_due=3, days_after_due=after, at=time(6), cut_off_days=14)
    plan = replace(EASY, reminders=steps.steps, office_closed={date(2027, 2, 22)})

    found = the(CalendarEventKind.REMINDER, "2027-01", plan, days=after)

    why = "before the office could take a payment after Sat Feb 20"
    assert ((why,) if is_marked else ()) == found.marks


def test_a_payment_due_mail_is_never_too_early_for_a_payment():
    steps = plan_reminders(days_before_due=-1, days_after_due=9, at=time(6), cut_off_days=14)
    plan = replace(EASY, reminders=steps.steps)

    assert () == the(CalendarEventKind.REMINDER, "2027-01", plan, days=1).marks


def test_what_falls_on_one_day_is_told_in_the_order_of_the_work():
    steps = plan_reminders(days_before_due=0, days_after_due=0, at=time(6), cut_off_days=14)
    plan = replace(EASY, due=DueRule(1), days_prior=(0,), reminders=steps.steps)

    (day,) = [one for one in plan_year(2027, plan) if one.first == date(2027, 4, 1)]

    assert ["close", "due", "draw", "reminder", "reminder"] == [
        event.kind.value for event in day.events if event.on == day.first
    ]


def test_a_period_ends_before_its_bills_are_due_on_the_same_day():
    (month,) = [
        one
        for one in plan_year(2027, replace(EASY, due=DueRule(31, 0), days_prior=()))
        if one.first == date(2027, 3, 1)
    ]

    assert [("period-end", 0), ("due", 0)] == [
        (event.kind.value, event.days) for event in month.events if event.period == "2027-03"
    ]


def test_all_days_of_a_month_are_looked_at_and_weekends_are_not_named():
    saturday, sunday, monday, friday = (date(2027, 1, day) for day in (2, 3, 4, 29))
    ends = {date(2027, 1, 1), date(2027, 3, 31)}
    closed = {saturday, sunday, monday, friday, *ends}

    months = plan_year(2027, replace(EASY, office_closed=closed, banks_closed=closed - {monday}))

    assert (date(2027, 1, 1), monday, friday) == months[0].office_closed
    assert (date(2027, 1, 1), friday) == months[0].banks_closed
    assert (date(2027, 3, 31),) == months[2].office_closed == months[2].banks_closed


def test_a_late_step_of_the_ladder_comes_from_the_year_before():
    ladder = [LadderStep("past-due-final", 365)]
    steps = plan_reminders(
        days_before_due=3, days_after_due=1, at=time(6), cut_off_days=14, ladder=ladder
    ).steps

    found = [one for one in events(replace(PLAN, reminders=steps)) if one.form == "past-due-final"]

    assert 12 == len(found)
    assert ("2025-12", date(2027, 1, 20)) == (found[0].period, found[0].on)
    later = replace(PLAN, reminders=steps, due=DueRule(20, 2))
    assert "2025-11" == next(one.period for one in events(later) if one.days == 365)


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
    assert DueRule(20, 1) == due_rule([*changed, *before[:4], *over_new_year][::-1])
    assert DueRule(20, 1) == due_rule([*even_more, *before[-1:]])


@pytest.mark.parametrize(
    ("year", "month", "last"),
    [
        (2026, 0, date(2025, 12, 31)),
        (2026, 2, date(2026, 2, 28)),
        (2026, 12, date(2026, 12, 31)),
        (2027, 0, date(2026, 12, 31)),
        (2027, 1, date(2027, 1, 31)),
        (2028, 2, date(2028, 2, 29)),
        (2027, 12, date(2027, 12, 31)),
        (2027, -12, date(2025, 12, 31)),
    ],
)
def test_the_last_day_of_a_month_counted_from_its_year(year, month, last):
    assert last == last_of_month(year, month)


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


def test_only_a_mail_bears_a_form():
    others = [one for one in events(PLAN) if one.kind is not CalendarEventKind.REMINDER]

    assert {""} == {one.form for one in others}
