"""Our own movements come back, files that never came, and balances that are too old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from rules.feed import (
    Arrived,
    Feed,
    Gap,
    NotCounted,
    OwnEntry,
    find_gaps,
    recognize,
    unsure_before,
    value_in_force,
)
from tests.billing_system.feed.builders import a_movement, at

DAY = date(2026, 11, 10)
ASKED = at("2026-11-10T15:05")


def ours(key: str = "taken/1", amount: str = "-100.00", **changes) -> OwnEntry:
    facts = {
        "key": key,
        "amount": Money.parse(amount),
        "happened_on": DAY,
        "confirmation": "SB1",
        "receipt": "CR1",
        "posting_asked_at": ASKED,
    }
    return OwnEntry(**{**facts, **changes})


def known_as(movements, own, *, unsure_before=None):
    return recognize(movements, own, unsure_before=unsure_before, posting_days=3)


@pytest.mark.parametrize("number", ["SB1", "CR1"], ids=["confirmation", "receipt"])
def test_a_movement_with_our_number_is_ours_come_back(number):
    found = known_as([a_movement("M1", "-100.00", reference=number)], [ours()])

    assert ({"M1": "taken/1"}, {}) == (found.ours, found.odd)


def test_parts_with_our_number_add_up_over_several_files():
    first, rest = (
        a_movement("M1", "-60.00", reference="SB1"),
        a_movement("M2", "-40.00", reference="SB1"),
    )

    assert {"M1": "taken/1", "M2": "taken/1"} == known_as([first, rest], [ours()]).ours
    assert {"M2": "taken/1"} == known_as([rest], [ours(come_back=Money(-60_00))]).ours


def test_more_than_we_took_under_our_number_counts_and_is_for_a_person():
    found = known_as([a_movement("M1", "-107.00", reference="SB1")], [ours()])

    assert ({"M1": "taken/1"}, {"M1": NotCounted.EXCEEDS}) == (found.ours, found.odd)
    assert {"M1": Money(-100_00)} == found.parts


def test_what_comes_back_after_all_of_ours_did_counts_whole():
    own = [ours(come_back=Money(-100_00))]

    found = known_as([a_movement("M1", "-7.00", reference="SB1")], own)

    assert ({}, {"M1": NotCounted.EXCEEDS}, {}) == (found.ours, found.odd, found.parts)


def test_a_reversal_of_our_receipt_without_a_return_counts_for_nothing_until_decided():
    found = known_as([a_movement("M1", "100.00", reference="CR1")], [ours(is_known=True)])

    assert ({}, {"M1": NotCounted.VOIDED}) == (found.ours, found.odd)


def test_a_reversal_that_we_know_of_is_ours_come_back():
    own = [ours(come_back=Money(-100_00)), ours("return/E1", "100.00", receipt="CR2")]

    assert {"M1": "return/E1"} == known_as([a_movement("M1", "100.00", reference="SB1")], own).ours


def test_a_payment_without_a_number_is_ours_by_amount_and_day():
    assert {"M1": "taken/1"} == known_as([a_movement("M1", "-100.00")], [ours()]).ours


@pytest.mark.parametrize(
    ("own", "day"),
    [
        pytest.param(ours(posting_asked_at=None), DAY, id="we never posted it"),
        pytest.param(ours(receipt=""), DAY, id="we asked, and cash receipting has not answered"),
        pytest.param(ours(is_known=True), DAY, id="an export has it"),
        pytest.param(ours(come_back=Money(-100_00)), DAY, id="it came back before"),
        pytest.param(ours(amount="-100.01"), DAY, id="another amount"),
        pytest.param(ours(), DAY - timedelta(days=2), id="too early"),
        pytest.param(ours(), DAY + timedelta(days=6), id="too late"),
        pytest.param(
            ours(last_asked_on=DAY + timedelta(days=20)), DAY + timedelta(days=26),
            id="too late after we asked for the last time",
        ),
    ],
)  # fmt: skip
def test_a_payment_without_a_number_is_somebody_elses_when(own, day):
    assert {} == known_as([a_movement("M1", "-100.00", happened_on=day)], [own]).ours


def test_under_a_number_that_has_not_reached_us_a_charge_is_ours_and_a_payment_counts():
    """Cash receipting has entered it, its answer was lost, and the feed is faster than we ask."""
    back = ours("return/1", "40.00", receipt="", confirmation="SB2")
    paid = ours("taken/2", "-70.00", receipt="", confirmation="SB3")
    answered = ours("return/3", "9.00", receipt="R3")

    found = known_as(
        [a_movement("M1", "15.00", reference="R9"), a_movement("M2", "25.00", reference="R9"),
         a_movement("M3", "-70.00", reference="R8"), a_movement("M4", "9.00", reference="R7")],
        [back, paid, answered],
    )  # fmt: skip

    assert {"M1": "return/1", "M2": "return/1"} == found.ours


@pytest.mark.parametrize("days", [0, 20, 25])
@pytest.mark.parametrize(
    ("own", "amounts", "number"),
    [
        pytest.param(ours(), ["-100.00"], "", id="without a number"),
        pytest.param(ours(), ["-60.00", "-40.00"], "", id="in parts"),
        pytest.param(ours(amount="40.00", receipt=""), ["40.00"], "R9", id="not answered"),
    ],
)
def test_what_is_posted_weeks_after_the_money_moved_comes_back_as_late(own, amounts, number, days):
    """Cash receipting was down for long, and the billing system tells the day of its own entry."""
    own = replace(own, last_asked_on=DAY + timedelta(days=20))
    day = DAY + timedelta(days=days)
    movements = [
        a_movement(f"M{place}", amount, happened_on=day, reference=number)
        for place, amount in enumerate(amounts)
    ]

    found = known_as(movements, [own])

    assert dict.fromkeys([one.movement_id for one in movements], "taken/1") == found.ours


def test_two_payments_of_one_amount_are_ours_and_somebody_elses():
    movements = [a_movement("M1", "-100.00"), a_movement("M2", "-100.00")]

    assert 1 == len(known_as(movements, [ours()]).ours)


def test_a_foreign_number_is_somebody_elses_payment():
    assert {} == known_as([a_movement("M1", "-100.00", reference="CASH 7")], [ours()]).ours


def test_ours_is_found_in_parts_without_a_number_but_a_whole_is_likelier():
    parts = [a_movement("M1", "-60.00"), a_movement("M2", "-40.00"), a_movement("M3", "-25.00")]

    assert {"M1": "taken/1", "M2": "taken/1"} == known_as(parts, [ours()]).ours
    assert {"M4": "taken/1"} == known_as([*parts, a_movement("M4", "-100.00")], [ours()]).ours


def test_of_several_days_with_parts_that_add_up_to_ours_the_earliest_is_ours():
    parts = [
        a_movement(f"{day}/{part}", amount, happened_on=DAY + timedelta(days=day))
        for part, amount in enumerate(["-60.00", "-40.00"])
        for day in (4, 3, 2, 1, 0)
    ]

    assert {"0/0": "taken/1", "0/1": "taken/1"} == known_as(parts, [ours()]).ours


NEXT = DAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("movements", "own", "expected"),
    [
        pytest.param(
            [a_movement("M2", "-100.00", reference="SB1", happened_on=NEXT),
             a_movement("M1", "-100.00", reference="SB1")],
            [ours()], {"M1": "taken/1"}, id="two with our number: the earlier",
        ),
        pytest.param(
            [a_movement("M1", "-60.00", reference="SB1")],
            [ours(), ours("taken/2", "-60.00", happened_on=NEXT)], {"M1": "taken/2"},
            id="one number of two: the one of its amount",
        ),
        pytest.param(
            [a_movement("M1", "-60.00", reference="77")],
            [ours(amount="-60.00", confirmation="77"),
             ours("taken/2", "-60.00", receipt="77", happened_on=NEXT)], {"M1": "taken/2"},
            id="one's confirmation and another's receipt: the receipt is the posting's own",
        ),
        pytest.param(
            [a_movement("M1", "40.00", reference="SB1")],
            [ours("return/1", "40.00", happened_on=NEXT), ours("return/2", "40.00")],
            {"M1": "return/2"}, id="two of a number and an amount: the earlier",
        ),
        pytest.param(
            [a_movement("M1", "40.00", reference="R9"), a_movement("M2", "-5.00", reference="R9")],
            [ours("return/1", "40.00", receipt="")], {"M1": "return/1"},
            id="a payment under a number that has not reached us does not lessen the charge",
        ),
        pytest.param(
            [a_movement("M1", "15.00"), a_movement("M2", "25.00", happened_on=NEXT)],
            [ours("return/1", "40.00", receipt="")], {},
            id="charges without a number, on two days, are none under one number",
        ),
        pytest.param(
            [a_movement("M1", "15.00", reference="R9")],
            [ours("return/1", "40.00", receipt="")], {}, id="a foreign number, another amount",
        ),
        pytest.param(
            [a_movement("M1", "40.00", reference="R9")],
            [ours("return/1", "40.00", receipt="", is_known=True)], {},
            id="a foreign number, and an export has ours",
        ),
        pytest.param(
            [a_movement("M1", "40.00", reference="R9")],
            [ours("return/1", "40.00", receipt="", happened_on=NEXT),
             ours("return/2", "40.00", receipt="")], {"M1": "return/2"},
            id="two without an answer: the earlier",
        ),
        pytest.param(
            [a_movement("M1", "-60.00"), a_movement("M2", "-40.00")],
            [ours(), ours("taken/2", "-60.00", happened_on=NEXT)],
            {"M1": "taken/1", "M2": "taken/1"}, id="a part of one is not another one as well",
        ),
        pytest.param(
            [a_movement("M1", "-60.00"), a_movement("M2", "-40.00")],
            [ours("taken/2", happened_on=NEXT), ours()],
            {"M1": "taken/1", "M2": "taken/1"}, id="parts of one of two: the earlier, once",
        ),
        pytest.param(
            [a_movement("M3", "-60.00", happened_on=NEXT),
             a_movement("M4", "-40.00", happened_on=NEXT),
             a_movement("M1", "-60.00"), a_movement("M2", "-40.00")],
            [ours()], {"M1": "taken/1", "M2": "taken/1"}, id="parts on two days: the earlier day",
        ),
        pytest.param(
            [a_movement("M1", "-60.00"), a_movement("M2", "-40.00", happened_on=NEXT)],
            [ours()], {}, id="parts are of one day",
        ),
        pytest.param(
            [a_movement("M1", "-140.00"), a_movement("M2", "40.00")], [ours()], {},
            id="parts have one sign",
        ),
        pytest.param(
            [a_movement("M1", "-60.00"), a_movement("M2", "-40.00")], [ours(is_known=True)], {},
            id="parts, and an export has ours",
        ),
        pytest.param(
            [a_movement(f"M{n}", "-25.00") for n in range(4)], [ours()],
            {f"M{n}": "taken/1" for n in range(4)}, id="four parts",
        ),
        pytest.param(
            [a_movement(f"M{n}", "-20.00") for n in range(5)], [ours()], {}, id="five are too many"
        ),
        pytest.param(
            [*(a_movement(f"M{n}", "-0.01") for n in range(1, 7)),
             a_movement("M7", "-60.00"), a_movement("M8", "-40.00")],
            [ours()], {"M7": "taken/1", "M8": "taken/1"}, id="eight of a day are tried",
        ),
        pytest.param(
            [*(a_movement(f"M{n}", "-0.01") for n in range(1, 8)),
             a_movement("M8", "-60.00"), a_movement("M9", "-40.00")],
            [ours()], {}, id="the ninth is not",
        ),
        pytest.param(
            [a_movement("M1", "-100.00")],
            [ours("taken/2"), ours(happened_on=DAY - timedelta(days=1))], {"M1": "taken/1"},
            id="two of an amount, without a number: the earlier",
        ),
        pytest.param(
            [a_movement("M1", "-100.00", happened_on=DAY - timedelta(days=1))], [ours()],
            {"M1": "taken/1"}, id="on the day before",
        ),
        pytest.param(
            [a_movement("M1", "-100.00", happened_on=DAY + timedelta(days=5))], [ours()],
            {"M1": "taken/1"}, id="two days after cash receipting's three",
        ),
    ],
)  # fmt: skip
def test_of_all_that_came_ours_is(movements, own, expected):
    found = known_as(movements, own)

    assert expected == found.ours


@pytest.mark.parametrize(
    ("movement", "own", "expected"),
    [
        pytest.param(a_movement("M1", "40.00", reference="R9"), [], ({}, {}, {}),
                     id="a foreign charge is nothing odd"),
        pytest.param(a_movement("M1", "40.00", reference="CR1"),
                     [ours(is_known=True), ours("return/1", "40.00", receipt="",
                                                confirmation="SB2")],
                     ({}, {"M1": NotCounted.VOIDED}, {}),
                     id="our receipt's reversal is no charge without an answer"),
        pytest.param(a_movement("M1", "50.00", reference="SB1"), [ours("return/1", "40.00")],
                     ({"M1": "return/1"}, {"M1": NotCounted.EXCEEDS}, {"M1": Money(40_00)}),
                     id="a charge larger than our return"),
        pytest.param(a_movement("M1", "7.00", reference="SB1"),
                     [ours("return/1", "40.00", come_back=Money(40_00))],
                     ({}, {"M1": NotCounted.EXCEEDS}, {}),
                     id="a charge after all of our return came back"),
        pytest.param(a_movement("M1", "-7.00", reference="SB1"), [ours("return/1", "40.00")],
                     ({}, {"M1": NotCounted.EXCEEDS}, {}),
                     id="a payment under the number of a return"),
    ],
)  # fmt: skip
def test_what_a_number_of_ours_does_not_explain(movement, own, expected):
    found = known_as([movement], own)

    assert expected == (found.ours, found.odd, found.parts)


@pytest.mark.parametrize("minutes", [0, -1])
def test_what_was_posted_when_the_files_went_on_is_ours_though_one_was_missing_before(minutes):
    since = ASKED + timedelta(minutes=minutes)

    found = known_as([a_movement("M1", "-100.00")], [ours()], unsure_before=since)

    assert {"M1": "taken/1"} == found.ours


def test_while_a_file_was_missing_a_payment_counts_and_a_charge_does_not():
    later = at("2026-11-11T15:00")
    movements = [a_movement("M1", "-100.00"), a_movement("M2", "100.00")]
    own = [ours(), ours("return/E1", "100.00")]

    assert {"M2": "return/E1"} == known_as(movements, own, unsure_before=later).ours


@given(
    amounts=st.lists(st.integers(1, 5000), min_size=1, max_size=4),
    taken=st.lists(st.integers(1, 5000), min_size=0, max_size=3),
)
def test_never_more_is_taken_for_ours_than_we_moved(amounts, taken):
    movements = [
        a_movement(f"M{number}", str(Money(-cents)), reference="SB1" if number % 2 else "")
        for number, cents in enumerate(amounts)
    ]
    own = [ours(f"taken/{number}", str(Money(-cents))) for number, cents in enumerate(taken)]

    found = known_as(movements, own)

    for entry in own:
        back = Money.total(
            found.parts.get(one.movement_id, one.amount)
            for one in movements
            if found.ours.get(one.movement_id) == entry.key
        )
        assert entry.amount <= back


def test_a_missing_number_is_a_gap_until_it_comes_or_is_accepted():
    files = [Arrived(15, at("2026-11-10T06:00")), Arrived(18, at("2026-11-13T06:00"))]

    assert [Gap(16, 17, at("2026-11-13T06:00"))] == find_gaps(files)
    assert [Gap(17, 17, at("2026-11-13T06:00"))] == find_gaps(files, accepted={16})
    assert [] == find_gaps([*files, *(Arrived(n, at("2026-11-11T06:00")) for n in (16, 17))])
    assert [] == find_gaps(files, accepted={16, 17})


def test_what_was_posted_may_stand_in_a_missing_file_until_the_last_one_after_a_gap():
    gaps = [Gap(3, 3, at("2026-11-12T06:00")), Gap(1, 1, at("2026-11-11T06:00"))]

    assert (at("2026-11-12T06:00"), None) == (unsure_before(gaps), unsure_before([]))


NOW = at("2026-11-13T12:00")
GAP = Gap(16, 16, at("2026-11-13T06:00"))


@pytest.mark.parametrize(
    ("feed", "exported_at", "why"),
    [
        pytest.param(Feed(), None, "", id="no feed"),
        pytest.param(Feed(None, at("2026-01-01T12:00")), None, "", id="its age is not watched"),
        pytest.param(Feed(None, NOW, (GAP,)), None, "file 16", id="a gap, its age not watched"),
        pytest.param(Feed(timedelta(hours=24)), None, "no file", id="none came"),
        pytest.param(
            Feed(timedelta(hours=24), at("2026-11-12T12:00")), None, "", id="just young enough"
        ),
        pytest.param(
            Feed(timedelta(hours=24), at("2026-11-12T11:59")), None, "24 hours ago", id="too old"
        ),
        pytest.param(Feed(timedelta(hours=24), NOW, (GAP,)), None, "file 16", id="a gap"),
        pytest.param(
            Feed(timedelta(hours=24), NOW, (GAP,)), at("2026-11-13T05:59"), "file 16",
            id="an export of before",
        ),
        pytest.param(
            Feed(timedelta(hours=24), NOW, (GAP,)), at("2026-11-13T06:00"), "",
            id="an export that has what the file had",
        ),
    ],
)  # fmt: skip
def test_balances_are_too_old_when(feed, exported_at, why):
    said = feed.staleness(NOW, exported_at)

    assert why in said and bool(why) == bool(said)


@pytest.mark.parametrize(
    ("hours", "said"),
    [(25, "25 hours"), (71.99, "71 hours"), (72, "3 days"), (95.99, "3 days"), (240, "10 days")],
)
def test_the_age_of_the_newest_file_is_said_in_whole_hours_and_from_three_days_on_in_days(
    hours, said
):
    feed = Feed(timedelta(hours=24), NOW - timedelta(hours=hours))

    assert f"the feed's newest file was written {said} ago" == feed.staleness(NOW)


def test_all_that_never_came_is_named_by_its_numbers():
    gaps = (GAP, Gap(18, 21, at("2026-11-13T07:00")))

    assert "files 16, 18 to 21 of the feed never came" == Feed(
        timedelta(hours=24), NOW, gaps
    ).staleness(NOW)
    assert "no file of the feed has come yet" == Feed(timedelta(hours=24)).staleness(NOW)


def test_the_newest_word_about_an_account_stands_and_of_two_the_stricter():
    exported = ("no", at("2026-11-18T12:00"))
    told = [("yes", at("2026-11-20T12:00"))]

    assert "yes" == value_in_force("block_ach", exported, told)
    assert "no" == value_in_force("block_ach", ("no", at("2026-11-30T12:00")), told)
    assert "yes" == value_in_force("block_ach", ("no", at("2026-11-20T12:00")), told)
    assert "yes" == value_in_force(
        "block_ach", ("yes", at("2026-11-20T12:00")), [("no", told[0][1])]
    )
    assert "b@x" == value_in_force("email", ("a@x", at("2026-11-20T12:00")), [("b@x", told[0][1])])


def test_what_goes_the_other_way_than_what_is_left_of_ours_is_none_of_ours():
    found = known_as([a_movement("M1", "-7.00", reference="SB1")], [ours(come_back=Money(-107_00))])

    assert ({}, {"M1": NotCounted.EXCEEDS}, {}) == (found.ours, found.odd, found.parts)


def test_an_entry_that_says_nothing_of_its_numbers_bears_none():
    entry = OwnEntry("taken/1", Money(-100_00), DAY)

    assert ("", "") == (entry.confirmation, entry.receipt)
