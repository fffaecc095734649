"""A replayed month beside what the office did: each thing counts once, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.past_outcomes import Outcome, OutcomeKind
from rules.past_outcomes import compare_outcomes

MAIL, PAPER, DRAFT = OutcomeKind
DAY, NEXT = date(2026, 11, 15), date(2026, 11, 16)


def draft(cents: int = 80_00, day: date | None = DAY, account: str = "01.1037.1") -> Outcome:
    return Outcome(DRAFT, account, amount=Money(cents), day=day)


def mail(address: str, account: str = "01.1037.1") -> Outcome:
    return Outcome(MAIL, account, address)


def compared(ours, theirs, kinds=OutcomeKind, reasons=None):
    alike, differences = compare_outcomes(ours, theirs, kinds, reasons or {})
    return alike.total(), [(one.account, one.ours, one.theirs) for one in differences]


@pytest.mark.parametrize(
    ("ours", "theirs", "alike", "differences"),
    [
        ([mail("A@x.example")], [mail("a@X.example", "0110371")], 1, []),
        ([mail("a@x.example")], [], 0, [("01.1037.1", "a mail to a@x.example", "")]),
        ([], [Outcome(PAPER, "9")], 0, [("9", "", "on paper")]),
        ([draft()], [draft(day=None)], 1, []),
        ([draft()], [draft()], 1, []),
        (
            [draft()],
            [draft(79_99)],
            0,
            [("01.1037.1", "$80.00 on 2026-11-15", "$79.99 on 2026-11-15")],
        ),
        (
            [draft()],
            [draft(day=NEXT)],
            0,
            [("01.1037.1", "$80.00 on 2026-11-15", "$80.00 on 2026-11-16")],
        ),
        ([draft(), draft(5_00)], [draft(5_00)], 1, [("01.1037.1", "$80.00 on 2026-11-15", "")]),
    ],
)
def test_what_differs_is_shown_with_both_sides(ours, theirs, alike, differences):
    assert (alike, differences) == compared(ours, theirs)


def test_what_the_office_told_nothing_of_is_not_compared():
    assert (0, []) == compared([mail("a@x.example")], [], {DRAFT})


def test_a_difference_says_why_it_is_so_here():
    _, (one,) = compare_outcomes([], [draft()], {DRAFT}, {(DRAFT, "0110371"): "nothing is owed"})

    assert "nothing is owed" == one.why


OUTCOMES = st.lists(
    st.one_of(
        st.builds(mail, st.sampled_from(["a@x.example", "b@x.example"]), st.sampled_from("12")),
        st.builds(draft, st.integers(1, 3), st.sampled_from([DAY, NEXT]), st.sampled_from("12")),
        st.builds(Outcome, st.just(PAPER), st.sampled_from("12")),
    )
)


@given(OUTCOMES, OUTCOMES)
def test_every_outcome_is_counted_once_on_its_side(ours, theirs):
    alike, differences = compare_outcomes(ours, theirs, OutcomeKind, {})

    assert len(ours) == alike.total() + sum(bool(one.ours) for one in differences)
    assert len(theirs) == alike.total() + sum(bool(one.theirs) for one in differences)


@given(OUTCOMES)
def test_a_month_is_alike_itself_in_any_order(outcomes):
    alike, differences = compare_outcomes(outcomes, reversed(outcomes), OutcomeKind, {})

    assert (Counter(one.kind for one in outcomes), []) == (alike, differences)


def test_differences_come_by_kind_and_account_and_what_is_not_compared_hides_none():
    ours = [draft(account="2"), draft(account="1"), mail("b@x.example", "2"), Outcome(PAPER, "1")]

    _, differences = compare_outcomes(ours, [], {MAIL, DRAFT}, {})

    assert sorted([(DRAFT, "1"), (DRAFT, "2"), (MAIL, "2")]) == [
        (one.kind, one.account) for one in differences
    ]
    assert {""} == {one.why for one in differences}


@pytest.mark.parametrize("kind", OutcomeKind)
def test_a_kind_that_is_compared_is_so_whichever_others_are_not(kind):
    ours = [draft(), mail("a@x.example"), Outcome(PAPER, "1")]

    _, differences = compare_outcomes(ours, [], {kind}, {})

    assert [kind] == [one.kind for one in differences]
