"""Payments by hand: what is read of an amount, what a way of paying costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import ZERO, Money
from rules.money.checkout import ServiceFee, parse_payment, parse_percent


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("45.50", "45.50"),
        ("$45", "45.00"),
        ("1,027.35", "1027.35"),
        (" $1.5 ", "1.50"),
        ("0.01", "0.01"),
    ],
)
def test_an_amount_is_read_as_customers_type_it(typed, amount):
    assert amount == str(parse_payment(typed))


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "45,50",
        "800,00",
        "1.027,35",
        "0",
        "0.00",
        "-5",
        "(5.00)",
        "12.345",
        "45 50",
        "١٢",
        "1e3",
    ],
)
def test_what_could_be_read_in_two_ways_is_asked_again(typed):
    with pytest.raises(ValueError):
        parse_payment(typed)


@pytest.mark.parametrize(
    ("percent", "fixed", "amount", "fee"),
    [
        ("2.95", 0, "100.00", "2.95"),
        ("2.5", 25, "80.00", "2.25"),
        ("2.5", 0, "0.20", "0.01"),  # half a cent is rounded up
        ("0.001", 0, "499.99", "0.00"),  # less than half a cent is not
        ("0", 150, "80.00", "1.50"),
        ("0", 0, "80.00", "0.00"),
    ],
)
def test_a_fee_is_a_share_and_a_fixed_amount(percent, fixed, amount, fee):
    way = ServiceFee(parse_percent(percent), Money(fixed))

    assert fee == str(way.of(Money.parse(amount)))


@pytest.mark.parametrize("text", ["", "x", "-1", "20.01", "2.9555", "NaN", "Infinity"])
def test_a_percentage_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"^write a percentage .*as 2\.95$"):
        parse_percent(text)


def test_the_largest_percentage_is_one():
    assert 20_000 == parse_percent("20")


@given(st.integers(1, 10_000_000), st.integers(0, 20_000))
def test_a_fee_never_differs_from_its_share_by_more_than_half_a_cent(cents, thousandths):
    fee = ServiceFee(thousandths).of(Money(cents))

    assert abs(fee.cents * 100_000 - cents * thousandths) <= 50_000
    assert fee >= ZERO
