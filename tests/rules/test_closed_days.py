"""Mails that fall on a weekend, a holiday or a closed day of the office."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries import MessageKind
from rules.calendars import is_working_day, office_closed_days
from rules.mail.closed_days import MailOnClosedDay, bills_leave_on, reminder_day
from rules.mail.reminders import plan_reminders
from tests.builders import examples

DUE, LATE = MessageKind.PAYMENT_DUE, MessageKind.PAST_DUE
SAME, NEXT, PREVIOUS = MailOnClosedDay
OFFICE = office_closed_days("US", [date(2026, 11, 18)])  # a Wednesday of its own
DENVER = ZoneInfo("America/Denver")


def november(day: int) -> date:
    return date(2026, 11, day)


@pytest.mark.parametrize(
    ("due_on", "days", "next_day", "previous_day"),
    [
        pytest.param(24, -3, 23, 20, id="a Saturday"),
        pytest.param(25, -3, 23, 20, id="a Sunday"),
        pytest.param(29, -3, 27, 25, id="Thanksgiving"),
        pytest.param(21, -3, 19, 17, id="the office's own day"),
        pytest.param(20, -3, 17, 17, id="a working day"),
        pytest.param(22, -1, 20, 20, id="Saturday, and Monday is past the due date"),
        pytest.param(22, 0, 20, 20, id="due on a Sunday, reminded on the day"),
        pytest.param(23, -1, 23, 20, id="Sunday, and Monday is the due date"),
    ],
)
def test_a_payment_due_mail_moves_and_never_past_the_due_date(due_on, days, next_day, previous_day):
    moved = [reminder_day(DUE, days, november(due_on), OFFICE, one) for one in MailOnClosedDay]

    assert [november(due_on + days), november(next_day), november(previous_day)] == moved


@pytest.mark.parametrize(
    ("due_on", "moved_to"),
    [
        pytest.param(20, 23, id="a Saturday"),
        pytest.param(21, 23, id="a Sunday"),
        pytest.param(25, 27, id="Thanksgiving"),
        pytest.param(17, 19, id="the office's own day"),
        pytest.param(18, 19, id="a working day"),
    ],
)
def test_a_past_due_mail_only_ever_comes_later(due_on, moved_to):
    moved = [reminder_day(LATE, 1, november(due_on), OFFICE, one) for one in MailOnClosedDay]

    assert [november(due_on + 1), november(moved_to), november(moved_to)] == moved


@pytest.mark.parametrize(
    ("today", "by", "leaves_on"),
    [
        pytest.param(7, 20, 9, id="closed on a Saturday"),
        pytest.param(8, 20, 9, id="closed on a Sunday"),
        pytest.param(26, 30, 27, id="closed on Thanksgiving"),
        pytest.param(18, 30, 19, id="closed on the office's own day"),
        pytest.param(9, 20, 9, id="closed on a working day"),
        pytest.param(7, 8, 7, id="the next working day would pass the due date"),
        pytest.param(7, 9, 9, id="the next working day is the due date"),
    ],
)
def test_the_bills_of_a_close_wait_for_the_next_working_day(today, by, leaves_on):
    days = [bills_leave_on(november(today), november(by), OFFICE, one) for one in MailOnClosedDay]

    assert [november(today), november(leaves_on), november(today)] == days


@pytest.mark.parametrize(
    ("moment", "owed"),
    [
        ("2026-11-21T06:00", []),
        ("2026-11-22T23:59", []),
        ("2026-11-23T06:00", ["past-due"]),
        ("2026-11-23T23:59", ["past-due"]),  # a cut-off of 0 days counts from the moved day
        ("2026-11-24T00:00", []),
    ],
)
def test_a_moved_past_due_mail_has_as_long_as_any_other(moment, owed):
    plan = plan_reminders(
        days_before_due=3, days_after_due=1, at=time(6), cut_off_days=0,
        closed=OFFICE, moves=NEXT,
    )  # fmt: skip
    now = datetime.fromisoformat(moment).replace(tzinfo=DENVER).astimezone(UTC)

    found = [one.step.form for one in plan.owed(november(20), now, DENVER)]

    assert owed == found


@examples
@given(
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.integers(-30, 0),
    st.integers(1, 30),
    st.sampled_from([NEXT, PREVIOUS]),
)
def test_no_moved_mail_leaves_on_a_closed_day_or_on_the_wrong_side_of_the_due_date(
    due_on, before, after, moves
):
    early = reminder_day(DUE, before, due_on, OFFICE, moves)
    late = reminder_day(LATE, after, due_on, OFFICE, moves)

    assert is_working_day(early, OFFICE) and is_working_day(late, OFFICE)
    assert early <= due_on < late
