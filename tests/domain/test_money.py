"""Money: whole cents, read only as it is surely meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import ZERO, Money
from tests.builders import examples

AMOUNTS = st.builds(Money, st.integers(-(10**13), 10**13))


@pytest.mark.parametrize(
    ("written", "cents"),
    [
        ("27.35", 27_35),
        ("$1,027.35", 1_027_35),
        ("1027.35", 1_027_35),
        ("12,345,678.90", 12_345_678_90),
        ("-31.47", -31_47),
        ("($31.47)", -31_47),
        ("(31.47)", -31_47),
        ("-$31.47", -31_47),
        ("$-31.47", -31_47),
        ("  27.35\t", 27_35),
        ("27", 27_00),
        ("27.3", 27_30),
        ("0.00", 0),
        ("-0.00", 0),
        ("007.05", 7_05),
    ],
)
def test_an_amount_is_read_as_billing_systems_write_it(written, cents):
    assert Money(cents) == Money.parse(written)


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "$", "-", "()", ".", ".50", "5.", "27.355", "1,02.00", "1,0270.00", ",100.00",
        "1,027,5", "(31.47", "31.47)", "(-31.47)", "-(31.47)", "--5.00", "-$-5.00", "+5.00", "5-",
        "1.027,35", "1e3", "NaN", "inf", "EUR 5.00", "5 USD", "12 50", "1_000", "0x10", "١٢.٥٠",
        "12.34\n5.00", "€5.00",
    ],
)  # fmt: skip
def test_a_guessed_amount_is_refused(written):
    with pytest.raises(ValueError, match="not an amount of money"):
        Money.parse(written)


@given(AMOUNTS)
@examples
def test_what_is_written_reads_back_as_the_same_amount(amount):
    written = (str(amount), amount.dollars(), f"({(-amount).dollars()})")

    assert (amount, amount) == (Money.parse(written[0]), Money.parse(written[1]))
    if amount < ZERO:
        assert amount == Money.parse(written[2])


@given(st.text(alphabet="0123456789.,$()- ", max_size=14))
@examples
def test_what_is_read_is_the_digits_that_stand_there(written):
    try:
        amount = Money.parse(written)
    except ValueError:
        return

    digits = "".join(char for char in written if char.isdigit() or char == ".")
    whole, _, cents = digits.partition(".")
    assert int(whole) * 100 + int(cents.ljust(2, "0")) == abs(amount.cents)


@pytest.mark.parametrize("cents", [1.0, 0.1, True, "100", None])
def test_money_is_never_made_of_anything_but_whole_cents(cents):
    with pytest.raises(TypeError, match="cents must be int"):
        Money(cents)


@pytest.mark.parametrize("other", [1, 0.5, "1.00", None])
def test_money_is_only_added_to_money(other):
    with pytest.raises((TypeError, AttributeError)):
        Money(100) + other
    with pytest.raises(TypeError):
        assert Money(100) < other


@given(AMOUNTS, AMOUNTS, AMOUNTS)
@examples
def test_amounts_add_up_whatever_the_order(one, two, three):
    assert (one + two) + three == one + (two + three) == Money.total([three, one, two])
    assert ZERO == one - one == one + -one
    assert (one.cents < two.cents) == (one < two)


@pytest.mark.parametrize(
    ("cents", "text", "people"),
    [
        (0, "0.00", "$0.00"),
        (5, "0.05", "$0.05"),
        (-5, "-0.05", "-$0.05"),
        (1_027_35, "1027.35", "$1,027.35"),
        (-31_47, "-31.47", "-$31.47"),
    ],
)
def test_an_amount_is_written_for_programs_and_for_people(cents, text, people):
    assert (text, people) == (str(Money(cents)), Money(cents).dollars())


def test_nothing_adds_up_to_zero_and_zero_is_no_amount():
    assert ZERO == Money.total([])
    assert (False, True, True) == (bool(ZERO), bool(Money(1)), bool(Money(-1)))
