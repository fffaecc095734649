"""When a bill that was held back is due, and when it is drawn."""

from __future__ import annotations

from datetime import date

import pytest

from rules.outsorting import ReleasePolicy, released_draw_on, released_due_on

POLICY = ReleasePolicy()
CLOSED = {date(2026, 11, 26)}  # Thanksgiving


def november(day: int) -> date:
    return date(2026, 11, day)


@pytest.mark.parametrize(
    ("due_on", "today", "expected"),
    [
        pytest.param(20, 10, 20, id="ten days are left"),
        pytest.param(20, 9, 20, id="more are left"),
        pytest.param(15, 5, 15, id="ten are left to a Sunday: it stays the period's own"),
        pytest.param(20, 11, 23, id="nine are left, and ten end on a Saturday"),
        pytest.param(20, 16, 27, id="ten end on a day on which the office is closed"),
    ],
)
def test_nobody_loses_days_to_pay(due_on, today, expected):
    assert november(expected) == released_due_on(november(due_on), november(today), POLICY, CLOSED)


@pytest.mark.parametrize(
    ("chosen", "due_on", "today", "expected"),
    [
        pytest.param(25, 27, 2, 25, id="the customer's own day is far enough away"),
        pytest.param(10, 27, 9, 19, id="not before its notice"),
        pytest.param(10, 27, 11, 23, id="a notice that ends on a Saturday"),
        pytest.param(10, 20, 16, 20, id="not after the due date"),
        pytest.param(10, 22, 16, 20, id="not after the working day before a due date on a Sunday"),
        pytest.param(10, 13, 16, 16, id="today where the due date is past"),
    ],
)
def test_a_draw_waits_for_its_notice_and_not_beyond_the_due_date(chosen, due_on, today, expected):
    assert november(expected) == released_draw_on(
        november(chosen), november(due_on), november(today), POLICY, CLOSED
    )


def test_an_office_that_says_nothing_gives_ten_days_to_pay_and_ten_of_notice():
    assert ReleasePolicy(days_to_pay=10, notice_days=10) == POLICY
