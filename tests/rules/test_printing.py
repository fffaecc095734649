"""When bills that came back are printed."""

from __future__ import annotations

from datetime import date

import pytest

from rules.mail.delivery import is_part_due

TODAY = date(2026, 11, 3)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        pytest.param(None, True, id="none was written yet"),
        pytest.param(date(2026, 11, 2), True, id="yesterday's is written"),
        pytest.param(TODAY, False, id="today's is written"),
    ],
)
def test_a_period_gets_one_part_a_day(last, expected):
    assert expected == is_part_due(last, TODAY)
