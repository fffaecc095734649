"""Dates as exports and bills write them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dates import parse_date
from tests.builders import examples


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-20", "11/20/2026", "November 20, 2026", "Nov 20, 2026", "Nov. 20, 2026",
        "NOVEMBER 20,2026", "november 20 , 2026", " 2026-11-20 ",
    ],
)  # fmt: skip
def test_a_date_is_read_in_any_of_its_spellings(written):
    assert date(2026, 11, 20) == parse_date(written)


@given(st.dates())
@examples
def test_every_day_reads_back_from_every_spelling(day):
    month = day.strftime("%B")
    spellings = (
        f"{day.year:04}-{day.month:02}-{day.day:02}",
        f"{day.month}/{day.day}/{day.year:04}",
        f"{month} {day.day}, {day.year:04}",
        f"{month[:3]} {day.day}, {day.year:04}",
    )

    assert {day} == {parse_date(spelling) for spelling in spellings}


@pytest.mark.parametrize(
    "written",
    [
        "", "soon", "2026-02-30", "2/29/2026", "13/1/2026", "0/1/2026", "11/20/26", "20.11.2026",
        "2026/11/20", "20261120", "Smarch 1, 2026", "Novembre 20, 2026", "No 20, 2026",
        "November 31, 2026", "2026-11-20T00:00", "٢٠٢٦-11-20",
    ],
)  # fmt: skip
def test_a_day_that_does_not_exist_is_refused(written):
    with pytest.raises(ValueError):
        parse_date(written)
