"""Lines of the bank and payouts, paired: the surest first, and nothing counted twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from rules.money.bank_matching import (
    BankDifference,
    BankEntry,
    BankPair,
    Nearness,
    Payout,
    match_bank,
)

DAY = date(2026, 11, 17)
SPAN = (DAY - timedelta(days=30), DAY + timedelta(days=30))
NEAR = Nearness(3, Money(5_00))


def line(key: str, cents: int, days: int = 0, words: str = "STRIPE PAYOUT") -> BankEntry:
    return BankEntry(key, DAY + timedelta(days=days), Money(cents), words)


def paid(name: str, cents: int, days: int = 0) -> Payout:
    return Payout(name, DAY + timedelta(days=days), Money(cents))


def told(*pairs: BankPair) -> list[tuple[str, str, str]]:
    return [
        (
            pair.entry.key if pair.entry else "",
            pair.payout.name if pair.payout else "",
            pair.difference or "agrees",
        )
        for pair in pairs
    ]


@pytest.mark.parametrize(
    ("entry", "payout", "expected"),
    [
        (line("a", 100_00), paid("po_1", 100_00), "agrees"),
        (line("a", 100_00, 3), paid("po_1", 100_00), "agrees"),
        (line("a", 100_00, -3), paid("po_1", 100_00), "agrees"),
        (line("a", 100_00, 4), paid("po_1", 100_00), BankDifference.NEAR_DATE),
        (line("a", 100_00, 9, "PO_1"), paid("po_1", 100_00), "agrees"),
        (line("a", 98_00), paid("po_1", 100_00), BankDifference.NEAR_AMOUNT),
        (line("a", 105_00, 3), paid("po_1", 100_00), BankDifference.NEAR_AMOUNT),
        (line("a", 20_00, 5, "ref po_1"), paid("po_1", 100_00), BankDifference.NEAR_AMOUNT),
        (line("a", -40_00), paid("po_1", -40_00), "agrees"),
    ],
)
def test_a_line_and_a_payout_that_belong_together(entry, payout, expected):
    assert [("a", "po_1", expected)] == told(*match_bank([entry], [payout], NEAR, SPAN))


@pytest.mark.parametrize(
    "entry", [line("a", 105_01), line("a", 100_00, 16), line("a", -100_00), line("a", 98_00, 4)]
)
def test_a_line_and_a_payout_too_far_apart_stand_alone(entry):
    found = match_bank([entry], [paid("po_1", 100_00)], NEAR, SPAN)

    assert {("a", "", "not-here"), ("", "po_1", "not-in-bank")} == set(told(*found))


def test_of_two_payouts_alike_each_line_gets_the_nearest_day():
    lines = [line("later", 50_00, 1), line("earlier", 50_00, 0)]

    found = match_bank(lines, [paid("po_1", 50_00, 0), paid("po_2", 50_00, 1)], NEAR, SPAN)

    assert [("earlier", "po_1", "agrees"), ("later", "po_2", "agrees")] == told(*found)


def test_an_exact_amount_goes_before_a_near_one():
    lines = [line("near", 99_00, 0), line("exact", 100_00, 2)]

    found = match_bank(lines, [paid("po_1", 100_00)], NEAR, SPAN)

    assert {("exact", "po_1", "agrees"), ("near", "", "not-here")} == set(told(*found))


def test_a_payout_is_missed_only_where_the_bank_told_of_its_days():
    payout = paid("po_1", 100_00)

    assert [] == match_bank([], [payout], NEAR)
    assert [] == match_bank([], [payout], NEAR, (DAY, DAY + timedelta(days=2)))
    assert [] == match_bank([], [payout], NEAR, (DAY + timedelta(days=1), SPAN[1]))
    assert 1 == len(match_bank([], [payout], NEAR, (DAY, DAY + timedelta(days=3))))


def test_a_payout_of_nothing_is_not_looked_for():
    assert [] == match_bank([], [paid("po_1", 0)], NEAR, SPAN)


CENTS = st.sampled_from([-40_00, 10_00, 10_01, 12_00, 50_00])
DAYS = st.integers(-20, 20)


@given(st.lists(st.tuples(CENTS, DAYS), max_size=12), st.lists(st.tuples(CENTS, DAYS), max_size=12))
def test_each_line_and_each_payout_stands_in_one_pair_and_only_equals_agree(lines, payouts):
    entries = [line(f"e{n}", cents, days) for n, (cents, days) in enumerate(lines)]
    sums = [paid(f"p{n}", cents, days) for n, (cents, days) in enumerate(payouts)]

    found = match_bank(entries, sums, NEAR, (DAY - timedelta(days=60), DAY + timedelta(days=60)))

    assert sorted(e.key for e in entries) == sorted(p.entry.key for p in found if p.entry)
    assert sorted(p.name for p in sums) == sorted(p.payout.name for p in found if p.payout)
    for pair in found:
        if pair.difference is None:
            assert pair.entry.amount == pair.payout.net
        assert (pair.entry is not None and pair.payout is not None) or pair.difference in (
            BankDifference.NOT_HERE, BankDifference.NOT_IN_BANK
        )  # fmt: skip
