"""Cells round trip: what a billing system writes is what we read."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_system.export import cells
from billing_system.export.cells import cached_converter
from domain.money import Money

CENTS = st.integers(-(10**14), 10**14)


@given(CENTS)
def test_amounts_are_read_as_they_were_written(cents):
    amount = Money(cents)
    dollars = f"{abs(cents) // 100:,}.{abs(cents) % 100:02d}"

    assert amount == cells.to_money(str(amount))
    assert amount == cells.to_money(f" {amount.dollars()} ")
    assert amount == cells.to_money(f"(${dollars})" if cents < 0 else f"${dollars}")


@given(st.dates())
def test_dates_are_read_as_they_were_written(day):
    assert day == cells.to_date(day.isoformat())
    assert day == cells.to_date(f"{day.month}/{day.day}/{day.year:04d}")


@given(st.sampled_from(["y", "yes", "true", "1"]), st.sampled_from([str.upper, str.title, str]))
def test_flags_are_read_in_any_letters(word, written):
    assert cells.to_flag(f" {written(word)} ") is True


@pytest.mark.parametrize("word", ["n", "No", "FALSE", "0", "", "  "])
def test_a_flag_that_is_not_set_is_no(word):
    assert cells.to_flag(word) is False


@given(st.floats(-1e6, 1e6).map(lambda usage: round(usage, 3)))
def test_quantities_are_read_as_they_were_written(usage):
    assert usage == cells.to_usage(f"{usage:.3f}")


@given(st.integers(0, 365))
def test_days_prior_are_read_as_they_were_written(days):
    assert days == cells.to_days_prior(f" {days} ")


@given(st.text())
def test_any_text_is_read_or_refused_with_a_sentence(text):
    converters = (cells.to_money, cells.to_date, cells.to_flag, cells.to_usage, cells.to_last4)
    for convert in (*converters, cells.to_days_prior, cells.to_account_number):
        try:
            convert(text)
        except ValueError as error:
            assert str(error).startswith(("is ", "holds "))


@pytest.mark.parametrize("written", ["9" * 20, "-999,999,999,999,999,999.00"])
def test_an_impossibly_large_amount_is_refused(written):
    with pytest.raises(ValueError, match="impossibly large"):
        cells.to_money(written)


def test_a_control_character_is_refused():
    with pytest.raises(ValueError, match="control character"):
        cells.text_up_to(10)("a\x00b")


def test_line_breaks_within_a_text_are_kept():
    assert cells.text_up_to(10)(" a\nb ") == "a\nb"
    assert date(2026, 10, 31) == cells.to_date("10/31/2026")


def test_cells_are_remembered_but_only_so_many_and_no_wrong_ones():
    asked = []

    def to_length(cell):
        asked.append(cell)
        if not cell:
            raise ValueError("is empty")
        return len(cell)

    convert = cached_converter(to_length, most=2)

    assert [1, 2, 1, 2] == [convert(cell) for cell in ("a", "bb", "a", "bb")]
    assert ["a", "bb"] == asked
    for _ in range(2):
        with pytest.raises(ValueError, match="is empty"):
            convert("")
    assert [3, 1, 3] == [convert(cell) for cell in ("ccc", "a", "ccc")]
    assert ["a", "bb", "", "", "ccc", "a"] == asked


CELLS = st.text(
    st.one_of(st.sampled_from("ab1 \t\n\x00\u200e\u00a0ßéŉ"), st.characters()), max_size=12
)
BY_COLUMN = (cells.text_up_to(8), cells.code_up_to(8), cells.code_up_to(8, required=False))


@pytest.mark.parametrize("convert", BY_COLUMN)
@given(st.lists(CELLS, max_size=5))
def test_a_column_is_read_as_its_cells_are_one_by_one(convert, written):
    def outcome(read):
        try:
            return read()
        except ValueError as error:
            return str(error)

    one_by_one = outcome(lambda: [convert(cell) for cell in written])

    assert one_by_one == outcome(lambda: convert.all_of(written))
