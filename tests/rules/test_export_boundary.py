"""The boundary of an export, case by case: lines of one account, our entries, what is contained."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.movements import MovementKind
from rules.money.export_boundary import (
    Bounds,
    ExportLine,
    Outstanding,
    match_export,
    why_uncontained,
)
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
        pytest.param([a_line(1, "-50.00", reference="SB1"), a_line(2, "-50.00", reference="SB1")],
                     [ours("p", "-100.00"), ours("failed", "-50.00", posted=EVENING)],
                     {"p": "reference"}, id="two halves, and a refund of one that failed since"),
        pytest.param([a_line(1, "-50.00", reference="SB1")],
                     [ours("first", "-50.00", posted=EVENING), ours("second", "-50.00")],
                     {"second": "reference"}, id="of two as much, the one that can stand there"),
        pytest.param([a_line(1, "-50.00", reference="SB1"), a_line(2, "-50.00", reference="SB1")],
                     [ours("p", "-100.00"), ours("one", "-50.00"), ours("two", "-50.00")],
                     {"one": "reference", "two": "reference"}, id="as much either way: the most"),
        pytest.param([a_line(1, "-60.00", reference="SB1"), a_line(2, "-40.00", reference="SB1")],
                     [ours("a", "-60.00"), ours("p", "-100.00")],
                     {"p": "reference"}, id="a part or the whole: what explains most money"),
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
        pytest.param([a_line(1, "-100.00")], [ours("p", "-100.00", posted=W)], {"p": "amount"},
                     id="posted as the export was written: it may stand there"),
        pytest.param([], [theirs("f", "-50.00", told_at=W)], {"f": "time"},
                     id="told as the export was written"),
        pytest.param([a_line(1, "-50.00", day=30)], [theirs("f", "-50.00", day=29)], {},
                     id="what the billing system told stands under its day, not the day after"),
        pytest.param([a_line(1, "-50.00", day=29)], [theirs("f", "-50.00", day=30)], {},
                     id="nor the day before"),
        pytest.param([a_line(1, "-50.00", day=29)], [ours("p", "-50.00", day=30)],
                     {"p": "amount"}, id="ours may stand under the day before"),
        pytest.param([a_line(1, "-50.00", day=28)], [ours("p", "-50.00", day=30)], {},
                     id="two days before is another payment"),
        pytest.param([a_line(1, "-50.00", day=28)],
                     [ours("p", "-50.00", day=20, posted=W.replace(day=25))],
                     {"p": "amount"}, id="three days after it was posted, not after it was drawn"),
        pytest.param([a_line(1, "-50.00", day=29)],
                     [ours("p", "-50.00", day=20, posted=W.replace(day=25))], {},
                     id="four days after it was posted"),
        pytest.param([a_line(1, "-50.00", day=28)],
                     [ours("p", "-50.00", day=25, posted=W.replace(day=20))],
                     {"p": "amount"}, id="posted before its day: three days after its day"),
        pytest.param([a_line(1, "-100.00", reference="R7"), a_line(2, "-5.00")],
                     [ours("p", "-100.00", receipt="R7")], {"p": "reference"},
                     id="a receipt takes its own lines alone"),
        pytest.param([a_line(1, "40.00", reference="SB1")], [ours("p", "-100.00")], {},
                     id="our number on money that went the other way is not the payment"),
        pytest.param([a_line(1, "-50.00", reference="SB1")],
                     [ours("late", "-50.00", day=30), ours("early", "-50.00", day=29)],
                     {"early": "reference"}, id="one line for two of one number: the earlier"),
        pytest.param([a_line(n, f"-{n}0.00", reference="SB1") for n in (1, 2, 3, 4)]
                     + [a_line(5, "-7.00", reference="SB1")],
                     [ours("p", "-100.00"), ours("w", "-7.00")],
                     {"p": "reference", "w": "reference"}, id="a number of two, one in four lines"),
        pytest.param([a_line(n, "-20.00", reference="SB1") for n in (1, 2, 3, 4, 5)],
                     [ours("p", "-100.00"), ours("w", "-7.00")], {},
                     id="a number of two, five lines are more than one of them has"),
        pytest.param([a_line(n, "-25.00") for n in (1, 2, 3, 4)], [ours("p", "-100.00")],
                     {"p": "split"}, id="split in four"),
        pytest.param([a_line(n, "-20.00") for n in (1, 2, 3, 4, 5)], [ours("p", "-100.00")], {},
                     id="five are more than a payment is split into"),
        pytest.param([a_line(1, "-60.00", reference="X"), a_line(2, "-40.00")],
                     [ours("p", "-100.00")], {}, id="a part with a number is somebody else's"),
        pytest.param([a_line(1, "-140.00"), a_line(2, "40.00")], [ours("p", "-100.00")], {},
                     id="no payment is split into a larger one and money back"),
        pytest.param([a_line(1, "-60.00", day=29), a_line(2, "-40.00", day=29)],
                     [ours("p", "-100.00", day=30)], {"p": "split"}, id="split, the day before"),
        pytest.param([a_line(1, "-60.00", day=28), a_line(2, "-40.00", day=28)],
                     [ours("p", "-100.00", day=30)], {}, id="split, two days before"),
        pytest.param([a_line(1, "-60.00"), a_line(2, "-40.00")],
                     [ours("p", "-100.00", day=27, posted=W.replace(day=27))], {"p": "split"},
                     id="split, three days later"),
        pytest.param([a_line(1, "-60.00"), a_line(2, "-40.00")],
                     [ours("p", "-100.00", day=26, posted=W.replace(day=26))], {},
                     id="split, four days later"),
        pytest.param([a_line(1, "-60.00", day=29), a_line(2, "-40.00", day=30)],
                     [ours("p", "-100.00", day=29)], {}, id="split, but not on one day"),
        pytest.param([a_line(n, "-0.01") for n in range(1, 7)]
                     + [a_line(7, "-60.00"), a_line(8, "-40.00")],
                     [ours("p", "-100.00")], {"p": "split"}, id="eight lines of a day are tried"),
        pytest.param([a_line(n, "-0.01") for n in range(1, 8)]
                     + [a_line(8, "-60.00"), a_line(9, "-40.00")],
                     [ours("p", "-100.00")], {}, id="the ninth is not"),
        pytest.param([a_line(1, "-150.00", reference="X")],
                     [ours("p", "-100.00"),
                      ours("q", "-50.00", confirmation="SB2", payment_key="p2")],
                     {}, id="a line with a number of its own merges nothing"),
        pytest.param([a_line(1, "-50.00")],
                     [ours("p", "-100.00"),
                      ours("r", "50.00", confirmation="SB2", payment_key="p2")],
                     {}, id="a payment and money back are not merged"),
        pytest.param([a_line(1, "-150.00", day=29)],
                     [ours("p", "-100.00"),
                      ours("q", "-50.00", confirmation="SB2", payment_key="p2")],
                     {"p": "merged", "q": "merged"}, id="merged, the day before"),
        pytest.param([a_line(1, "-150.00", day=28)],
                     [ours("p", "-100.00"),
                      ours("q", "-50.00", confirmation="SB2", payment_key="p2")],
                     {}, id="merged, two days before"),
        pytest.param([], [ours("p", "-80.00"), ours("r", "40.00")], {},
                     id="a payment and a part of it back do not cancel out"),
        pytest.param([], [ours("p", "-80.00", payment_key=""), ours("r", "80.00", payment_key="")],
                     {}, id="what belongs to no payment cancels nothing out"),
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


@pytest.mark.parametrize(
    ("line", "entry", "is_used_up"),
    [
        pytest.param(a_line(1, "-50.00"), theirs("f", "-50.00", told_at=MORNING), True,
                     id="theirs, its day"),
        pytest.param(a_line(1, "-50.00"), theirs("f", "-50.00", day=29, told_at=MORNING), False,
                     id="theirs, the day after"),
        pytest.param(a_line(1, "-50.00"), ours("p", "-50.00", day=27, posted=W.replace(day=27),
                                               told_at=MORNING), True,
                     id="ours, three days after"),
    ],
)  # fmt: skip
def test_a_line_of_what_was_surely_known_is_used_up(line, entry, is_used_up):
    found = match_export([line], [entry], BOUNDS)

    assert {entry.key: "time"} == found.contained
    assert ([] if is_used_up else [line]) == found.free


def test_of_two_lines_of_its_amount_an_entry_takes_the_nearest():
    lines = [a_line(1, "-50.00", day=30), a_line(2, "-50.00", day=28)]

    found = match_export(lines, [ours("p", "-50.00", day=28, posted=W.replace(day=28))], BOUNDS)

    assert ({"p": "amount"}, lines[:1]) == (found.contained, found.free)


def test_what_the_billing_system_tells_of_a_day_after_the_export_is_no_line_of_it():
    before = replace(BOUNDS, last_day=date(2026, 11, 29))

    found = match_export([a_line(1, "-50.00")], [theirs("f", "-50.00", told_at=EVENING)], before)

    assert {} == found.contained


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


def test_of_two_that_may_take_a_line_the_earlier_comes_first_however_they_are_given():
    lines = [a_line(1, "-50.00", day=28), a_line(2, "-50.00", day=29)]
    early = ours("early", "-50.00", day=29, told_at=MORNING)
    late = ours("late", "-50.00", day=30, told_at=MORNING)
    bounds = replace(BOUNDS, posting_days=0)

    free = [match_export(lines, some, bounds).free for some in ([early, late], [late, early])]

    assert [lines[:1], lines[:1]] == free


@given(LINES, ENTRIES, st.randoms(use_true_random=False))
@examples
def test_the_order_in_which_books_and_export_are_given_decides_nothing(
    drawn_lines, drawn_entries, chance
):
    lines = [a_line(n, amount, day, ref) for n, (amount, day, ref) in enumerate(drawn_lines)]
    entries = [
        ours(str(n), amount, day, posted=at, confirmation=f"SB{n % 2 + 1}", payment_key=f"p{n % 2}")
        if is_ours
        else theirs(str(n), amount, day, told_at=at)
        for n, (amount, day, is_ours, at) in enumerate(drawn_entries)
    ]
    other_lines, others = chance.sample(lines, len(lines)), chance.sample(entries, len(entries))

    assert match_export(lines, entries, BOUNDS) == match_export(other_lines, others, BOUNDS)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (ours("p", "-1.00", moved_at=LATER), "taken after the export was written"),
        (ours("p", "-1.00", moved_at=W), "no line in the export"),
        (ours("p", "-1.00", posted=None, moved_at=MORNING),
         "not posted yet: run `billclose retry-postings --now`"),
        (ours("p", "-1.00", posted=EVENING, moved_at=MORNING),
         "posted after the export was written"),
        (ours("p", "-1.00", posted=W), "no line in the export"),
    ],
)  # fmt: skip
def test_it_is_said_why_an_export_does_not_contain_what_we_moved(entry, why):
    assert why == why_uncontained(entry, BOUNDS)


def test_an_entry_that_says_nothing_of_its_numbers_bears_none():
    entry = Outstanding("taken/1", Money(-100_00), date(2026, 10, 30), is_ours=True)

    assert ("", "", "") == (entry.confirmation, entry.receipt, entry.payment_key)
