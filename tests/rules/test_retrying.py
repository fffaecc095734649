"""When a declined payment is drawn again, and when one in doubt is looked up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payments import Advice
from rules.calendars import bank_closed_days, is_working_day
from rules.money.retrying import (
    RetryPolicy,
    drawn_again_on,
    is_awaited,
    may_ask_again,
    may_still_ask,
    next_lookup,
    retry_on,
)
from tests.builders import DUE, examples

BANKS = bank_closed_days()
POLICY = RetryPolicy()
ASKED = datetime(2026, 11, 13, 16, 0, tzinfo=UTC)
DAY = timedelta(hours=24)


def again(advice: Advice, declines: int, today: date, due_on: date = DUE) -> date | None:
    return retry_on(advice, declines, today=today, due_on=due_on, closed=BANKS, policy=POLICY)


@pytest.mark.parametrize(
    ("advice", "declines", "today", "expected"),
    [
        pytest.param(Advice.LATER, 1, date(2026, 11, 13), date(2026, 11, 16), id="after 3 days"),
        pytest.param(Advice.LATER, 2, date(2026, 11, 16), date(2026, 11, 23), id="a Saturday"),
        pytest.param(Advice.LATER, 3, date(2026, 11, 13), None, id="three in all"),
        pytest.param(Advice.LATER, 1, date(2026, 11, 23), date(2026, 11, 27), id="Thanksgiving"),
        pytest.param(Advice.LATER, 1, date(2026, 11, 27), date(2026, 11, 30), id="last day"),
        pytest.param(Advice.LATER, 1, date(2026, 11, 28), None, id="too long after the due date"),
        pytest.param(Advice.ONCE_MORE, 1, date(2026, 11, 13), date(2026, 11, 16), id="once"),
        pytest.param(Advice.ONCE_MORE, 2, date(2026, 11, 13), None, id="and no more"),
        pytest.param(Advice.CUSTOMER_ACTION, 1, date(2026, 11, 13), None, id="customer first"),
        pytest.param(Advice.NEW_METHOD, 1, date(2026, 11, 13), None, id="another method first"),
        pytest.param(Advice.NEVER, 1, date(2026, 11, 13), None, id="never"),
        pytest.param(Advice.CLERK, 1, date(2026, 11, 13), None, id="a clerk first"),
    ],
)
def test_a_declined_payment_is_drawn_again(advice, declines, today, expected):
    assert expected == again(advice, declines, today)


@given(
    st.sampled_from(Advice),
    st.integers(1, 9),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.integers(-30, 30),
)
@examples
def test_no_draw_on_a_day_without_banking_and_none_too_late(advice, declines, today, days):
    due_on = today + timedelta(days=days)

    chosen = again(advice, declines, today, due_on)

    if chosen is not None:
        assert is_working_day(chosen, BANKS)
        assert today + timedelta(days=3) <= chosen <= due_on + timedelta(days=10)
        assert declines < 3


def test_look_ups_grow_apart():
    waits = [next_lookup(lookups) for lookups in range(4)]

    assert [timedelta(minutes=5), timedelta(hours=1), DAY, DAY] == waits


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, False), (4, False), (5, True), (22 * 60, True), (23 * 60, False)]
)
def test_it_is_asked_again_neither_too_early_nor_when_the_key_is_forgotten(minutes, expected):
    now = ASKED + timedelta(minutes=minutes)

    assert expected == may_ask_again(ASKED, now, DAY)


@pytest.mark.parametrize(("hours", "expected"), [(0, True), (22, True), (23, False), (48, False)])
def test_a_worker_asks_only_while_the_key_is_kept(hours, expected):
    assert expected == may_still_ask(ASKED, ASKED + timedelta(hours=hours), DAY)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 11, 16), date(2026, 11, 19)),  # three days for the mail
        (date(2026, 11, 18), date(2026, 11, 23)),  # a Saturday: the Monday after it
        (date(2026, 11, 27), date(2026, 11, 30)),  # ten days after the due date: the last day
        (date(2026, 11, 28), None),
    ],
)
def test_what_was_never_taken_is_drawn_with_notice_and_within_a_limit(today, expected):
    policy = RetryPolicy(days_after_due=10)

    found = drawn_again_on(today, due_on=date(2026, 11, 20), closed=(), policy=policy)

    assert expected == found


def test_a_customer_has_half_an_hour_to_answer_their_bank():
    half_an_hour = timedelta(minutes=30)

    assert [True, False] == [
        is_awaited(ASKED, ASKED + half_an_hour - timedelta(seconds=1)),
        is_awaited(ASKED, ASKED + half_an_hour),
    ]


def test_an_office_that_says_nothing_draws_three_times_after_three_and_five_days():
    assert (3, (3, 5), 10) == (POLICY.attempts, POLICY.waits, POLICY.days_after_due)
