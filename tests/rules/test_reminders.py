"""When a reminder is owed: by due date and kind, in windows, over changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.deliveries import MessageKind
from domain.money import Money
from rules.mail.reminders import (
    TO_LEAVE,
    Exemption,
    LadderStep,
    ReminderPlan,
    ReminderStep,
    StepStanding,
    plan_reminders,
    time_has_come,
)
from tests.builders import DUE, examples

DENVER = ZoneInfo("America/Denver")
SIX = time(6)
SPRING, FALL = date(2026, 3, 8), date(2026, 11, 1)  # the clocks are put on, and back


def a_plan(**changes):
    chosen = {"days_before_due": 3, "days_after_due": 1, "at": SIX, "cut_off_days": 14}
    return plan_reminders(**(chosen | changes))


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=DENVER, fold=fold).astimezone(UTC)


def forms(plan, text: str) -> list[str]:
    return [one.step.form for one in plan.owed(DUE, local(text), DENVER)]


@pytest.mark.parametrize(
    ("moment", "owed"),
    [
        ("2026-11-17T05:59", []),
        ("2026-11-17T06:00", ["payment-due"]),
        ("2026-11-18T00:30", ["payment-due"]),  # the night before last was missed
        ("2026-11-20T23:59", ["payment-due"]),  # until the due date
        ("2026-11-21T00:00", []),  # never after it
        ("2026-11-21T05:59", []),
        ("2026-11-21T06:00", ["past-due"]),
        ("2026-12-05T23:59", ["past-due"]),  # 14 days after the day it was meant for
        ("2026-12-06T00:00", []),
    ],
)
def test_what_is_owed_of_a_due_date(moment, owed):
    """Rules 90, 92, 93."""
    assert owed == forms(a_plan(), moment)


def test_the_days_and_the_time_are_the_offices():  # rule 94
    """Rule 91."""
    plan = a_plan(days_before_due=0, days_after_due=5, at=time(17, 30), cut_off_days=0)

    assert [[], ["payment-due"], [], ["past-due"], []] == [
        forms(plan, moment)
        for moment in (
            "2026-11-20T17:29",
            "2026-11-20T17:30",
            "2026-11-25T17:29",
            "2026-11-25T17:30",
            "2026-11-26T17:30",
        )
    ]


def test_it_is_over_when_no_past_due_mail_makes_sense_any_more():
    plan = a_plan(ladder=[LadderStep("past-due-2", 10)])

    assert [False, False, True] == [
        plan.is_over(DUE, local(moment), DENVER)
        for moment in ("2026-11-17T06:00", "2026-12-14T23:59", "2026-12-15T00:00")
    ]


def test_a_payment_due_mail_that_makes_sense_for_longer_is_no_past_due_mail():
    due = ReminderStep(MessageKind.PAYMENT_DUE, "payment-due", 0, 30)
    late = ReminderStep(MessageKind.PAST_DUE, "past-due", 1, 2)
    plan = ReminderPlan((due, late), SIX)

    assert [False, True] == [
        plan.is_over(DUE, local(moment), DENVER)
        for moment in ("2026-11-22T23:59", "2026-11-23T00:00")
    ]


def test_a_past_due_mail_of_the_due_date_takes_no_payment_due_mail_away():
    plan = a_plan(days_after_due=0)

    assert [("payment-due", None), ("past-due", None)] == [
        (one.step.form, one.below) for one in plan.owed(DUE, local("2026-11-20T06:00"), DENVER)
    ]


def test_a_failure_of_ours_hurts_for_the_offices_days_and_bills_have_two_to_leave():
    moment = local("2026-11-21T06:00")

    assert moment - timedelta(days=10) == Exemption(10).since(moment)
    assert timedelta(days=2) == TO_LEAVE


@pytest.mark.parametrize(
    ("closed", "late_from"),
    [((), "2026-11-03T00:00"), ({date(2026, 11, 2)}, "2026-11-04T00:00")],
)
def test_an_office_is_late_from_the_day_after_the_first_that_it_may_close_on(closed, late_from):
    """October ends on a Saturday; its first working day is Monday, November 2."""
    exemption = Exemption(10, closed) if closed else Exemption(10)

    assert local(late_from) == exemption.late_from(date(2026, 10, 31), DENVER)


def test_an_office_that_says_nothing_spares_nobody_the_first_mail_rule_95():
    assert (False, False, True) == (
        a_plan().spare_autopay,
        ReminderPlan((), SIX).spare_autopay,
        a_plan(spare_autopay=True).spare_autopay,
    )


def test_no_calendar_of_holidays_is_written_out_with_a_plan_or_an_exemption():
    closed = {date(2026, 12, 25)}

    assert "12" not in repr(Exemption(9, closed)).replace("Exemption", "")
    assert "closed=" not in repr(a_plan(closed=closed))


def test_a_later_step_takes_the_place_of_one_that_was_missed():
    ladder = [
        LadderStep("past-due-3", 12, Money.parse("200.00")),
        LadderStep("past-due-2", 8, Money.parse("50.00")),
    ]
    plan = a_plan(ladder=ladder)

    def owed(text):
        return [
            (one.step.form, str(one.step.smallest), str(one.below or ""))
            for one in plan.owed(DUE, local(text), DENVER)
        ]

    assert [("past-due", "0.01", "")] == owed("2026-11-27T07:00")
    assert [("past-due", "0.01", "50.00"), ("past-due-2", "50.00", "")] == owed("2026-11-28T07:00")
    assert [
        ("past-due", "0.01", "50.00"),
        ("past-due-2", "50.00", "200.00"),
        ("past-due-3", "200.00", ""),
    ] == owed("2026-12-02T07:00")


def test_a_time_that_the_clocks_skip_comes_when_they_jump():
    """Ruling 16."""
    at = time(2, 30)

    assert [False, True, True, True] == [
        time_has_come(SPRING, at, moment, DENVER)
        for moment in (
            local("2026-03-08T01:59"),
            local("2026-03-08T03:00"),  # a scheduler that was told 2:30 runs now, or at 3:30
            local("2026-03-08T03:30"),
            local("2026-03-08T02:30"),  # what --as-of may say
        )
    ]


def test_a_time_that_the_clocks_show_twice_comes_once_and_stays():
    """Ruling 16."""
    at = time(1, 30)

    assert [False, True, True, True, True] == [
        time_has_come(FALL, at, moment, DENVER)
        for moment in (
            local("2026-11-01T01:29"),
            local("2026-11-01T01:30"),
            local("2026-11-01T01:00", fold=1),  # half an hour later, and it shows less
            local("2026-11-01T01:30", fold=1),
            local("2026-11-01T02:00"),
        )
    ]


minutes = st.integers(0, 24 * 60 - 1).map(lambda number: time(*divmod(number, 60)))
days = st.sampled_from([SPRING, FALL]) | st.dates(date(2026, 1, 1), date(2026, 12, 31))


@examples
@given(days, minutes, st.integers(-3000, 3000), st.integers(0, 3000))
def test_once_a_time_has_come_it_stays_so(day, at, offset, more):
    noon = datetime.combine(day, time(12), DENVER).astimezone(UTC)
    moment = noon + timedelta(minutes=offset)
    assume(time_has_come(day, at, moment, DENVER))

    assert time_has_come(day, at, moment + timedelta(minutes=more), DENVER)


@examples
@given(days, minutes)
def test_a_time_comes_on_its_own_local_day(day, at):
    midnight = datetime.combine(day, time(), DENVER).astimezone(UTC)
    next_day = datetime.combine(day + timedelta(days=1), time(), DENVER).astimezone(UTC)

    assert not time_has_come(day, at, midnight - timedelta(seconds=1), DENVER)
    assert time_has_come(day, at, next_day, DENVER)


@examples
@given(days, minutes, st.integers(0, 30), st.integers(1, 30), st.integers(0, 30))
def test_a_nightly_run_that_missed_some_nights_finds_the_same(day, at, before, after, cut_off):
    """Whatever nights are missed: each step is owed in one stretch, the two never at once."""
    plan = a_plan(days_before_due=before, days_after_due=after, at=at, cut_off_days=cut_off)
    start = datetime.combine(day, time(12), DENVER).astimezone(UTC)
    hours = [start + timedelta(hours=hour) for hour in range(-40 * 24, 70 * 24, 7)]

    for step in plan.steps:
        standings = [plan.standing(step, day, moment, DENVER) for moment in hours]
        order = [StepStanding.NOT_YET, StepStanding.OWED, StepStanding.TOO_LATE]
        places = [order.index(found) for found in standings]
        assert sorted(places) == places
        assert 0 in places and 2 in places
    assert all(len(plan.owed(day, moment, DENVER)) <= 1 for moment in hours)
