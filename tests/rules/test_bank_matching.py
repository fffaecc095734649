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
    say_group,
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
        (line("a", 100_00, 15), paid("po_1", 100_00), BankDifference.NEAR_DATE),
        (line("a", 100_00, -15, "po_1"), paid("PO_1", 100_00), "agrees"),
        (line("a", 20_00, 15, "po_1"), paid("po_1", 100_00), BankDifference.NEAR_AMOUNT),
        (line("a", -40_00), paid("po_1", -40_00), "agrees"),
    ],
)
def test_a_line_and_a_payout_that_belong_together(entry, payout, expected):
    assert [("a", payout.name, expected)] == told(*match_bank([entry], [payout], NEAR, SPAN))


@pytest.mark.parametrize(
    "entry",
    [
        line("a", 105_01), line("a", 100_00, 16), line("a", -100_00), line("a", 98_00, 4),
        line("a", 100_00, 16, "po_1"), line("a", 20_00, -16, "po_1"),
    ],
)  # fmt: skip
def test_a_line_and_a_payout_too_far_apart_stand_alone(entry):
    found = match_bank([entry], [paid("po_1", 100_00)], NEAR, SPAN)

    assert {("a", "", "not-here"), ("", "po_1", "not-in-bank")} == set(told(*found))


def test_of_two_payouts_alike_each_line_gets_the_nearest_day():
    lines = [line("later", 50_00, 1), line("earlier", 50_00, 0)]

    found = match_bank(lines, [paid("po_1", 50_00, 0), paid("po_2", 50_00, 1)], NEAR, SPAN)

    assert [("earlier", "po_1", "agrees"), ("later", "po_2", "agrees")] == told(*found)


def test_of_two_lines_alike_one_payout_gets_the_nearest_and_then_the_first():
    payout = paid("po_1", 50_00, 1)
    far, near = line("a", 50_00, -1), line("b", 50_00, 1)
    twins = [line("d", 50_00, 1), line("c", 50_00, 1)]

    nearest = match_bank([far, near], [payout], NEAR, SPAN)
    first = match_bank(twins, [payout], NEAR, SPAN)

    assert ("b", "po_1", "agrees") in told(*nearest)
    assert ("c", "po_1", "agrees") in told(*first)


def test_payouts_are_found_in_whichever_order_they_are_given_and_told_by_their_days():
    payouts = [paid("po_3", 50_00), paid("po_2", 50_00, -20), paid("po_1", 50_00, -25)]

    found = match_bank([line("a", 50_00), line("b", 1_00, -22)], payouts, NEAR, SPAN)

    assert [
        ("", "po_1", "not-in-bank"),
        ("b", "", "not-here"),
        ("", "po_2", "not-in-bank"),
        ("a", "po_3", "agrees"),
    ] == told(*found)


def test_a_payout_without_a_name_is_named_by_no_line():
    found = match_bank([line("a", 20_00, 5)], [paid("", 100_00)], NEAR, SPAN)

    assert {("a", "", "not-here"), ("", "", "not-in-bank")} == set(told(*found))


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

    assert sorted(e.key for e in entries) == sorted(e.key for p in found for e in p.entries)
    assert sorted(p.name for p in sums) == sorted(one.name for p in found for one in p.payouts)
    for pair in found:
        if pair.difference is None:
            ours = Money.total(one.net for one in pair.payouts)
            assert Money.total(one.amount for one in pair.entries) == ours
            assert 1 in (len(pair.entries), len(pair.payouts))
        assert (pair.entry is not None and pair.payout is not None) or pair.difference in (
            BankDifference.NOT_HERE, BankDifference.NOT_IN_BANK, BankDifference.SEVERAL_WAYS
        )  # fmt: skip


def grouped(found: list[BankPair]) -> set[tuple[tuple[str, ...], tuple[str, ...], str]]:
    return {
        (
            tuple(sorted(entry.key for entry in pair.entries)),
            tuple(sorted(payout.name for payout in pair.payouts)),
            pair.difference or "agrees",
        )
        for pair in found
    }


def test_a_line_that_joins_the_payouts_of_a_day_agrees_with_all_of_them():
    payouts = [paid("po_1", 60_00), paid("po_2", 40_50), paid("po_3", 9_00, 1)]

    found = match_bank([line("a", 100_50, 2), line("b", 9_00, 1)], payouts, NEAR, SPAN)

    assert {(("a",), ("po_1", "po_2"), "agrees"), (("b",), ("po_3",), "agrees")} == grouped(found)


def test_a_payout_that_the_bank_split_into_lines_of_a_day_agrees_with_all_of_them():
    lines = [line("a", 60_00, 1), line("b", 40_50, 1), line("c", -3_00, 1)]

    found = match_bank(lines, [paid("po_1", 97_50)], NEAR, SPAN)

    assert {(("a", "b", "c"), ("po_1",), "agrees")} == grouped(found)


def test_what_adds_up_in_several_ways_is_left_to_a_person():
    payouts = [paid("p1", 60_00), paid("p2", 40_00), paid("p3", 70_00), paid("p4", 30_00)]
    payouts.append(paid("other", 7_77, -20))

    found = match_bank([line("a", 100_00)], payouts, NEAR, SPAN)

    unsure = BankDifference.SEVERAL_WAYS
    assert {
        (("a",), (), unsure),
        *(((), (name,), unsure) for name in ("p1", "p2", "p3", "p4")),
        ((), ("other",), BankDifference.NOT_IN_BANK),
    } == grouped(found)


def test_two_lines_of_which_each_may_be_the_joined_one_are_left_to_a_person():
    payouts = [paid("po_1", 60_00), paid("po_2", 40_00)]

    found = match_bank([line("a", 100_00), line("b", 100_00, 1)], payouts, NEAR, SPAN)

    assert {BankDifference.SEVERAL_WAYS} == {pair.difference for pair in found}
    assert 4 == len(found)


def test_the_names_in_a_line_say_which_of_several_ways_it_is():
    payouts = [paid("po_1", 60_00), paid("po_2", 40_00), paid("po_3", 70_00), paid("po_4", 30_00)]

    found = match_bank([line("a", 100_00, 0, "po_3 and more")], payouts, NEAR, SPAN)

    assert (("a",), ("po_3", "po_4"), "agrees") in grouped(found)


def test_a_line_that_names_all_that_it_joins_agrees_with_them():
    payouts = [paid("po_1", 60_00), paid("po_2", 40_00)]

    found = match_bank([line("a", 100_00, 0, "po_1 po_2")], payouts, NEAR, SPAN)

    assert {(("a",), ("po_1", "po_2"), "agrees")} == grouped(found)


def test_lines_that_name_the_payout_that_they_split_agree_with_it():
    lines = [line("a", 60_00, 0, "po_1"), line("b", 40_00, 0, "po_1")]

    found = match_bank(lines, [paid("po_1", 100_00), paid("po_2", 7_00, -9)], NEAR, SPAN)

    assert (("a", "b"), ("po_1",), "agrees") in grouped(found)


def test_the_name_in_a_line_says_which_lines_split_a_payout():
    lines = [
        line("a", 60_00), line("b", 40_00), line("c", 70_00, 0, "po_1"), line("d", 30_00)
    ]  # fmt: skip

    found = match_bank(lines, [paid("po_1", 100_00)], NEAR, SPAN)

    assert (("c", "d"), ("po_1",), "agrees") in grouped(found)


def test_a_line_that_names_one_payout_is_no_part_of_another():
    lines = [line("a", 60_00, 0, "po_2"), line("b", 40_00)]
    payouts = [paid("po_1", 100_00), paid("po_2", 7_00), paid("po_3", 3_00, 9)]

    found = match_bank(lines, payouts, NEAR, SPAN)

    assert all(pair.difference for pair in found)


def test_a_payout_is_split_into_lines_of_a_near_day_whichever_came_before():
    before = [line("x", 60_00, -9), line("y", 40_00, -9)]
    lines = [line("a", 60_00, 1), line("b", 40_00, 1)]

    near = match_bank([*before, *lines], [paid("po_1", 100_00)], NEAR, SPAN)
    far = match_bank(before, [paid("po_1", 100_00)], NEAR, SPAN)

    assert (("a", "b"), ("po_1",), "agrees") in grouped(near)
    assert {BankDifference.NOT_HERE, BankDifference.NOT_IN_BANK} == {x.difference for x in far}


def test_of_ten_payouts_a_part_may_be_joined():
    payouts = [paid(f"po_{n}", 1000 * 2**n) for n in range(10)]

    found = match_bank([line("a", 3000)], payouts, NEAR, SPAN)

    assert (("a",), ("po_0", "po_1"), "agrees") in grouped(found)


@pytest.mark.parametrize(
    "payouts",
    [
        pytest.param([paid("po_1", 60_00), paid("po_2", 40_00, 1)], id="other days"),
        pytest.param([paid("po_1", 60_00, -4), paid("po_2", 40_00, -4)], id="too far"),
        pytest.param(
            [paid("po_1", 60_00), Payout("po_2", DAY, Money(40_00), "another")], id="providers"
        ),
        pytest.param([paid("po_1", 60_00), paid("po_2", 39_99)], id="a cent"),
        pytest.param([paid(f"po_{n}", 10_00) for n in range(11)], id="a part of too many"),
    ],
)
def test_what_does_not_belong_together_is_not_joined(payouts):
    found = match_bank([line("a", 100_00)], payouts, NEAR, SPAN)

    assert all(pair.difference for pair in found)
    assert BankDifference.SEVERAL_WAYS not in {pair.difference for pair in found}


def test_all_payouts_of_a_day_are_joined_however_many_they_are():
    payouts = [paid(f"po_{n:02}", 10_00 + n) for n in range(40)]

    (pair,) = match_bank([line("a", 400_00 + sum(range(40)))], payouts, NEAR, SPAN)

    assert (None, 40) == (pair.difference, len(pair.payouts))


def test_lines_of_two_accounts_of_the_city_are_no_split_of_one_payout():
    lines = [line("a", 60_00), BankEntry("b", DAY, Money(40_00), "", "…9999")]

    found = match_bank(lines, [paid("po_1", 100_00)], NEAR, SPAN)

    assert all(pair.difference for pair in found)


@given(st.lists(st.integers(1, 500_00), min_size=2, max_size=8, unique=True), st.integers(-3, 3))
def test_a_days_payouts_in_one_line_agree_and_so_does_one_payout_in_a_days_lines(cents, days):
    joined = match_bank(
        [line("a", sum(cents), days)],
        [paid(f"po_{n}", one) for n, one in enumerate(cents)], NEAR, SPAN,
    )  # fmt: skip
    split = match_bank(
        [line(f"e{n}", one, days) for n, one in enumerate(cents)],
        [paid("po", sum(cents))], NEAR, SPAN,
    )  # fmt: skip

    assert [None] == [pair.difference for pair in joined] == [pair.difference for pair in split]


def test_what_was_joined_or_split_is_told_with_its_payouts_and_lines():
    joined = BankPair(line("a", 100_50), paid("po_1", 60_00), None, (), (paid("po_2", 40_50),))
    split = BankPair(line("a", 60_00), paid("po_1", 100_50), None, (line("b", 40_50, 1),))

    assert "po_1, po_2: joined at the bank, $100.50 on 2026-11-17" == say_group(joined)
    assert ("po_1: split at the bank, $60.00 on 2026-11-17, $40.50 on 2026-11-18") == say_group(
        split
    )


def test_the_differences_have_the_names_that_programs_read():
    assert ["not-here", "not-in-bank", "near-amount", "near-date", "several-ways"] == [
        one.value for one in BankDifference
    ]
