"""Until which day a close can be taken back."""

from __future__ import annotations

from datetime import date

import pytest

from rules.undoing import last_day_to_undo


@pytest.mark.parametrize(
    ("days", "last_day"),
    [
        pytest.param(5, date(2026, 11, 6), id="the day of the close is the first"),
        pytest.param(1, date(2026, 11, 2), id="on that day alone"),
        pytest.param(30, date(2026, 12, 1), id="over the end of the month"),
    ],
)
def test_a_close_is_taken_back_on_so_many_days_rules_1_and_10(days, last_day):
    assert last_day == last_day_to_undo(date(2026, 11, 2), days)
