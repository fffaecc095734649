"""What spreadsheets do to account numbers is told at the import."""

from __future__ import annotations

import pytest

from billing_system.export.scars import find_scars

LONG = [str(100_000 + n) for n in range(50)]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        pytest.param(["Jan-37", "01.1074.2"], "look like dates, such as Jan-37", id="a month"),
        pytest.param(["1-Mar", "2"], "look like dates, such as 1-Mar", id="a day"),
        pytest.param(["1/10/2037"], "look like dates", id="a date"),
        pytest.param(["1037.0", "1074.0"], "all account numbers end in .0", id="decimals"),
        pytest.param([*LONG, "3712"], "such as 3712: a spreadsheet drops zeros", id="zeros"),
    ],
)
def test_account_numbers_that_a_spreadsheet_changed_are_told(numbers, told):
    assert [True] == [told in note.message for note in find_scars(numbers)]


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(["01.1037.1", "01.1074.2"], id="with periods"),
        pytest.param(["0001037", "0001074"], id="zeros are there"),
        pytest.param([str(n) for n in range(1, 400)], id="counted from one"),
        pytest.param(["A-12", "MARCO"], id="letters"),
        pytest.param([*LONG, "0372"], id="a short one with its zero"),
    ],
)
def test_ordinary_account_numbers_are_left_alone(numbers):
    assert [] == list(find_scars(numbers))
