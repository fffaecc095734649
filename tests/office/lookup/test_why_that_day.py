"""Why a draw is on its day: by the due date that the bill has, not by the one of its period."""

from __future__ import annotations

from datetime import date

import pytest

from office.lookup.why.autopay import explain_day
from rules.money.autopay import OnClosedDay

PRINTED = date(2026, 11, 20)
RELEASED = date(2026, 12, 8)
THANKSGIVING = frozenset({date(2026, 11, 26)})


@pytest.mark.parametrize(
    ("pay_on", "due_on", "days_prior", "words"),
    [
        pytest.param(
            date(2026, 11, 13), PRINTED, 7, "that is 7 days before the due date, Nov 20, 2026",
            id="the customer's day",
        ),
        pytest.param(
            date(2026, 12, 1), RELEASED, 7, "that is 7 days before the due date, Dec 8, 2026",
            id="of a released bill",
        ),
        pytest.param(
            date(2026, 12, 8), RELEASED, 0, "that is on the due date, Dec 8, 2026",
            id="on the new due date",
        ),
        pytest.param(
            date(2026, 12, 3), RELEASED, 7,
            "Dec 1, 2026, 7 days before the due date, Dec 8, 2026, would have come too soon after "
            "the bill, which had been held back",
            id="later, so that the customer sees the bill first",
        ),
        pytest.param(
            date(2026, 11, 25), RELEASED, 12,
            "12 days before the due date, Dec 8, 2026, is Nov 26, 2026, on which no bank works",
            id="a bank holiday",
        ),
        pytest.param(
            date(2026, 11, 12), PRINTED, 7,
            "counted back from the due date (7 days before the due date, Nov 20, 2026), as was "
            "agreed then",
            id="agreed otherwise by then",
        ),
    ],
)  # fmt: skip
def test_the_day_is_counted_from_the_bills_own_due_date_rule_48(pay_on, due_on, days_prior, words):
    said, rules = explain_day(
        pay_on, due_on, PRINTED, days_prior, THANKSGIVING, OnClosedDay.PREVIOUS
    )

    assert (words, ("48", "49")) == (said, rules[:2])
