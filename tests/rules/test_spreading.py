"""Money that goes back is spread over a payment's lines to the cent, in whatever parts it goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import ZERO, Money
from rules.money.spreading import share_out, spread

CENTS = st.integers(min_value=0, max_value=500_00).map(Money)
LINES = st.lists(st.integers(min_value=1, max_value=500_00).map(Money), min_size=1, max_size=6)


def money(*texts):
    return [Money.parse(text) for text in texts]


@pytest.mark.parametrize(
    ("moved", "kept", "expected"),
    [
        pytest.param("100.00", ("60.00", "40.00", "0.00"), ("60.00", "40.00", "0.00"), id="all"),
        pytest.param("50.00", ("60.00", "40.00", "0.00"), ("30.00", "20.00", "0.00"), id="half"),
        pytest.param("0.01", ("10.00", "10.00", "0.00"), ("0.01", "0.00", "0.00"), id="one cent"),
        pytest.param(
            "10.00", ("10.00", "10.00", "10.00", "0"), ("3.34", "3.33", "3.33", "0"), id="thirds"
        ),
        pytest.param("100.00", ("60.00", "40.00", "2.61"), ("60", "40", "0"), id="the fee stays"),
        pytest.param("102.61", ("60.00", "40.00", "2.61"), ("60", "40", "2.61"), id="with the fee"),
        pytest.param("103.00", ("60.00", "40.00", "2.61"), ("60.39", "40", "2.61"), id="too much"),
        pytest.param("-5.00", ("55.00", "40.00", "0.00"), ("-5", "0", "0"), id="comes again"),
        pytest.param("-7.00", ("55.00", "40.00", "0.61"), ("-5", "0", "-2"), id="the fee first"),
        pytest.param(
            "-12.00", ("30.00", "20.00", "0.61"), ("-6", "-4", "-2"), id="a part, the fee first"
        ),
        pytest.param(
            "-5.00", ("-5.00", "0.00", "0.00"), ("-5", "0", "0"), id="first what was too much"
        ),
    ],
)
def test_an_event_moves_of_each_line(moved, kept, expected):
    lines = money("60.00", "40.00", *(["2.61"] if "2.61" in kept or "0.61" in kept else ["0.00"]))
    if len(kept) == 4:
        lines = money("10.00", "10.00", "10.00", "0.00")

    shares = spread(Money.parse(moved), lines, money(*kept))

    assert money(*expected) == shares


@given(lines=LINES, fee=CENTS, parts=st.lists(st.integers(1, 400_00), max_size=8))
def test_however_it_goes_back_and_comes_again_no_cent_is_lost(lines, fee, parts):
    paid = [*lines, fee]
    kept = list(paid)

    for cents in parts:
        moved = Money(cents)
        shares = spread(moved, paid, kept)
        assert moved == Money.total(shares)
        kept = [office - share for office, share in zip(kept, shares, strict=True)]
        assert all(one >= ZERO for one in kept[1:])
    back = Money.total(paid) - Money.total(kept)
    if back > ZERO:
        shares = spread(-back, paid, kept)
        kept = [office - share for office, share in zip(kept, shares, strict=True)]

    assert paid == kept


@given(weights=LINES, share=st.integers(0, 100))
def test_shares_add_up_and_never_exceed_their_weight(weights, share):
    amount = Money(Money.total(weights).cents * share // 100)

    shares = share_out(amount, weights)

    assert amount == Money.total(shares)
    assert all(ZERO <= one <= weight for one, weight in zip(shares, weights, strict=True))


@pytest.mark.parametrize(("weights", "shares"), [((33, 67), (2, 3)), ((67, 33), (3, 2))])
def test_the_odd_cent_goes_where_most_of_one_was_cut_off_whatever_the_order(weights, shares):
    assert [Money(one) for one in shares] == share_out(Money(5), [Money(one) for one in weights])


def test_more_than_there_is_is_not_shared_out():
    with pytest.raises(ValueError, match=r"^more is shared out than there is$"):
        share_out(Money(11), [Money(10)])
