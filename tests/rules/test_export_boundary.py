"""The boundary of an export, case by case: lines of one account, our entries, what is contained."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.movements import MovementKind
from rules.money.export_boundary import Bounds, ExportLine, Outstanding, match_export
from tests.builders import examples

W = datetime(2026, 11, 30, 17, tzinfo=UTC)
BOUNDS = Bounds(W, W, date(2026, 11, 30))
MORNING, EVENING = W.replace(hour=8), W.replace(hour=18)
LATER = W + timedelta(hours=1)


def a_line(number, amount, day=30, reference="", kind=MovementKind.PAYMENT):
    return ExportLine(number, date(2026, 11, day), kind, Money.parse(amount), reference)


def ours(key, amount, day=30, posted: datetime | None = MORNING, **changes):
    facts = {
        "confirmation": "SB1", "payment_key": "p1", "may_stand_from": posted,
        "posted_on": posted.date() if posted else None,
    }  # fmt: skip
    return Outstanding(key, Money.parse(amount), date(2026, 11, day), True, **facts | changes)


def theirs(key, amount, day=30, **changes):
    return Outstanding(key, Money.parse(amount), date(2026, 11, day), False, **changes)


@pytest.mark.parametrize(
    ("lines", "entries", "contained"),
    [
        pytest.param([], [ours("p", "-100.00")], {}, id="drawn and posted, no line: carried"),
        pytest.param([a_line(1, "-100.00", reference="SB1")], [ours("p", "-100.00")],
                     {"p": "reference"}, id="confirmation"),
        pytest.param([a_line(1, "-100.00", reference="R7")],
                     [ours("p", "-100.00", receipt="R7")], {"p": "reference"}, id="receipt"),
        pytest.param([a_line(1, "-100.00")], [ours("p", "-100.00")], {"p": "amount"},
                     id="amount and day"),
        pytest.param([a_line(1, "-100.00", reference="C9")], [ours("p", "-100.00")], {},
                     id="another number: somebody else's"),
        pytest.param([a_line(1, "-100.00")], [ours("p", "-100.00", posted=EVENING)], {},
                     id="case 4, posted after W: the line is the counter's"),
        pytest.param([a_line(1, "-100.00")], [ours("p", "-100.00", posted=None)], {},
                     id="never posted"),
        pytest.param([a_line(1, "-100.00")],
                     [ours("p", "-100.00"), theirs("f", "-100.00", told_at=EVENING)],
                     {"f": "amount"}, id="one line, the feed's and ours: the feed's"),
        pytest.param([a_line(1, "-100.00"), a_line(2, "-100.00")],
                     [ours("p", "-100.00"), theirs("f", "-100.00", told_at=EVENING)],
                     {"f": "amount", "p": "amount"}, id="two lines for both"),
        pytest.param([], [theirs("f", "-50.00", day=9, told_at=MORNING)], {"f": "time"},
                     id="case 21, told before W, deleted there"),
        pytest.param([], [theirs("f", "-50.00", told_at=EVENING)], {}, id="told after W, no line"),
        pytest.param([], [theirs("f", "-50.00", told_at=EVENING, posted_at=MORNING)],
                     {"f": "time"}, id="posted before W, told after it"),
        pytest.param([a_line(1, "-50.00")],
                     [theirs("f", "-50.00", told_at=LATER, posted_at=EVENING)], {},
                     id="posted after W: the line of its amount is another one"),
        pytest.param([], [ours("p", "-100.00", told_at=MORNING)], {"p": "time"},
                     id="case 17, ours, brought back by the feed before W"),
        pytest.param([a_line(1, "-25.00")],
                     [theirs("f", "-25.00", told_at=EVENING),
                      theirs("g", "-25.00", told_at=EVENING)],
                     {"f": "amount"}, id="case 20, two movements and one line"),
        pytest.param([a_line(1, "-60.00", reference="SB1"), a_line(2, "-40.00", reference="SB1")],
                     [ours("p", "-100.00")], {"p": "reference"}, id="split, with a number"),
        pytest.param([a_line(1, "-60.00"), a_line(2, "-40.00"), a_line(3, "-25.00")],
                     [ours("p", "-100.00")], {"p": "split"}, id="case 9, split, without"),
        pytest.param([a_line(1, "-150.00")],
                     [ours("p", "-100.00"),
                      ours("q", "-50.00", confirmation="SB2", payment_key="p2")],
                     {"p": "merged", "q": "merged"}, id="case 10, merged"),
        pytest.param([a_line(1, "-101.00")],
                     [ours(f"p{n}", f"-{n}.00", confirmation=f"SB{n}", payment_key=f"p{n}")
                      for n in (10, 20, 30, 41)],
                     {"p10": "merged", "p20": "merged", "p30": "merged", "p41": "merged"},
                     id="four merged"),
        pytest.param([a_line(1, "-153.00")],
                     [ours(f"p{n}", f"-{n}.00", confirmation=f"SB{n}", payment_key=f"p{n}")
                      for n in (10, 20, 30, 41, 52)],
                     {}, id="five are more than one line merges"),
        pytest.param([a_line(1, "-50.00", reference="X1")],
                     [theirs("f", "-50.00", told_at=EVENING)], {"f": "amount"},
                     id="the feed's own, told without its number"),
        pytest.param([a_line(1, "-50.00", reference="X1")],
                     [theirs("f", "-50.00", told_at=EVENING, confirmation="X2")], {},
                     id="the feed's own under another number"),
        pytest.param([a_line(1, "-50.00", reference="X1")],
                     [ours("p", "-50.00", confirmation="")], {},
                     id="ours, without a number: a line with one is not it"),
        pytest.param([a_line(1, "-101.00", reference="SB1"), a_line(2, "40.40", reference="SB1")],
                     [ours("p", "-101.00"), ours("d1", "40.40"),
                      ours("d2", "60.60", posted=EVENING)],
                     {"p": "reference", "d1": "reference"}, id="one of two partial disputes"),
        pytest.param([a_line(1, "-60.00", reference="SB1"), a_line(2, "-41.00", reference="SB1"),
                      a_line(3, "40.40", reference="SB1"), a_line(4, "-20.20", reference="SB1"),
                      a_line(5, "-20.20", reference="SB1")],
                     [ours("p", "-101.00"), ours("d1", "40.40"), ours("w", "-40.40")],
                     {"p": "reference", "d1": "reference", "w": "reference"},
                     id="payment, dispute and its end, all split, one confirmation"),
        pytest.param([a_line(1, "-101.00", reference="SB1"), a_line(2, "-10.00", reference="SB1")],
                     [ours("p", "-101.00"), ours("w", "-40.40", posted=EVENING)],
                     {"p": "reference"}, id="a line too many under a confirmation of several"),
        pytest.param([], [ours("p", "-80.00"), ours("r", "80.00")],
                     {"p": "voided", "r": "voided"}, id="case 8, both posted before W, both gone"),
        pytest.param([], [ours("p", "-80.00", posted=EVENING), ours("r", "80.00", posted=LATER)],
                     {}, id="case 7, drawn and returned after W"),
        pytest.param([a_line(1, "-80.00", reference="SB1")],
                     [ours("p", "-80.00"), ours("r", "80.00", posted=EVENING)],
                     {"p": "reference"}, id="returned after W: the return is carried"),
        pytest.param([a_line(1, "-100.00", day=20)], [ours("p", "-100.00")], {},
                     id="a line of ten days before"),
        pytest.param([a_line(1, "25.00", kind=MovementKind.BILLING)],
                     [ours("f", "25.00", confirmation="")], {}, id="a charge is no fee of ours"),
    ],
)  # fmt: skip
def test_an_export_contains(lines, entries, contained):
    found = match_export(lines, entries, BOUNDS)

    assert (contained, {}) == (found.contained, found.booked_otherwise)


def test_what_is_booked_with_another_amount_is_contained_and_told():
    found = match_export([a_line(1, "-107.00", reference="SB1")], [ours("p", "-100.00")], BOUNDS)

    assert {"p": "reference"} == found.contained
    assert {"p": Money.parse("-107.00")} == found.booked_otherwise


def test_our_number_in_two_lines_takes_one_and_leaves_the_other():
    lines = [a_line(1, "-100.00", reference="SB1"), a_line(2, "-100.00", reference="SB1")]

    found = match_export(lines, [ours("p", "-100.00")], BOUNDS)

    assert ({"p": "reference"}, lines[1:]) == (found.contained, found.free)


def test_in_the_hour_that_clocks_show_twice_the_second_one_cannot_stand():
    first = datetime(2026, 11, 1, 7, 30, tzinfo=UTC)  # 01:30 in Denver, for the first time
    bounds = Bounds(first, first + timedelta(hours=1), date(2026, 11, 1))
    line = ExportLine(1, date(2026, 11, 1), MovementKind.PAYMENT, Money.parse("-100.00"))
    of_day = {"day": 1, "confirmation": ""}

    may = match_export([line], [ours("p", "-100.00", posted=first, **of_day)], bounds)
    late = first + timedelta(hours=1, minutes=15)
    cannot = match_export([line], [ours("p", "-100.00", posted=late, **of_day)], bounds)

    assert ({"p": "amount"}, {}) == (may.contained, cannot.contained)


AMOUNTS = st.sampled_from(["-100.00", "-60.00", "-40.00", "-25.00", "25.00", "60.00"])
LINES = st.lists(st.tuples(AMOUNTS, st.integers(28, 30), st.sampled_from(["", "SB1", "SB2", "X"])))
ENTRIES = st.lists(
    st.tuples(AMOUNTS, st.integers(28, 30), st.booleans(), st.sampled_from([MORNING, EVENING])),
    max_size=5,
)


@given(LINES, ENTRIES)
@examples
def test_a_line_explains_one_thing_and_nothing_is_lost(drawn_lines, drawn_entries):
    lines = [a_line(n, amount, day, ref) for n, (amount, day, ref) in enumerate(drawn_lines)]
    entries = [
        ours(str(n), amount, day, posted=at, confirmation=f"SB{n}", payment_key=f"p{n}")
        if is_ours
        else theirs(str(n), amount, day, told_at=at)
        for n, (amount, day, is_ours, at) in enumerate(drawn_entries)
    ]

    found = match_export(lines, entries, BOUNDS)

    taken = [line for some in found.lines.values() for line in some]
    assert sorted(line.number for line in [*taken, *found.free]) == list(range(len(lines)))
    for entry in entries:
        if found.contained.get(entry.key) == "amount":
            assert [entry.amount] == [line.amount for line in found.lines[entry.key]]


@given(st.permutations(range(3)))
@examples
def test_the_order_of_lines_does_not_decide_what_is_contained(order):
    lines = [a_line(1, "-60.00"), a_line(2, "-40.00"), a_line(3, "-100.00", reference="SB2")]
    entries = [ours("p", "-100.00"), ours("q", "-100.00", confirmation="SB2", payment_key="p2")]

    found = match_export([lines[place] for place in order], entries, BOUNDS)

    assert {"p": "split", "q": "reference"} == found.contained
