"""A clerk holds bills at the command line, before the close and after it, and lets them go."""

from __future__ import annotations

import pytest

from tests.flows.desk import Desk
from tests.flows.town import ABBOTT, BAKER, IRWIN

OCTOBER = "2026-10"


def outsort(desk: Desk, number: str, reason: str = "meter read twice", **settings):
    return desk("outsort", number, "--period", OCTOBER, "--reason", reason, "--as-of",
                "2026-11-02T08:00", "--json", **settings)  # fmt: skip


def release(desk: Desk, number: str, as_of: str = "2026-11-03T09:00"):
    return desk("release", number, "--period", OCTOBER, "--as-of", as_of, "--json")


@pytest.fixture
def rehearsing(desk) -> Desk:
    return Desk(desk.home, desk.settings | {"BILLCLOSE_CLOCK__REHEARSAL": "true"})


@pytest.fixture
def closed_before(closed, tmp_path) -> Desk:
    """An office of one's own after the close of the town's October."""
    desk = closed.copied(tmp_path / "closed")
    return Desk(desk.home, desk.settings | {"BILLCLOSE_CLOCK__REHEARSAL": "true"})


def of(desk: Desk, what: str, number: str, *conditions: str):
    return desk.rows(what, f"account={number}", *conditions)


def test_two_bills_are_held_before_the_close_and_released_after_it(rehearsing, town):
    desk = rehearsing
    assert 0 == desk("import", town).status
    held = [outsort(desk, one.number) for one in (ABBOTT, BAKER)]
    closed = desk.close(town, "--yes")

    assert [0, 0, 0] == [answer.status for answer in (*held, closed)], closed.err
    figures = {"held": 2, "amount": "1058.35", "released": 0, "released_amount": "0.00"}
    assert figures == closed.json["outsorted"]
    autopay = closed.json["autopay"]
    assert (2, "140.00", 5) == (autopay["scheduled"], autopay["amount"], autopay["unscheduled"])
    for number in (ABBOTT.number, BAKER.number):
        assert [False] == [row["visible"] for row in of(desk, "bills", number)]
        assert [[], [], [], []] == [
            of(desk, what, number)
            for what in ("deliveries", "paper", "balances", "scheduled-payments")
        ]
        assert ["bill-outsorted"] == [
            row["code"] for row in of(desk, "exceptions", number, "stage=outsort")
        ]
    assert {ABBOTT.number, BAKER.number} == {row["account"] for row in desk.rows("outsorted")}
    why = [one["text"] for one in desk("why", ABBOTT.number, "--json").json["sentences"]]
    assert [one for one in why if one.endswith("because its bill is held back.")]
    assert [] == [one for one in why if "waived" in one or "None" in one]

    freed = [release(desk, one.number) for one in (ABBOTT, BAKER)]

    assert [0, 0] == [answer.status for answer in freed], freed[0].err
    assert ("2026-11-20", 1) == (freed[0].json["due_date"], freed[0].json["sent"])
    assert ["sent"] == [row["status"] for row in of(desk, "deliveries", ABBOTT.number)]
    [payment] = of(desk, "scheduled-payments", ABBOTT.number)
    assert ("27.35", "scheduled", "2026-11-13") == (
        payment["amount"], payment["state"], payment["pay_date"],
    )  # fmt: skip
    assert [1] == [len(of(desk, "paper", BAKER.number))]
    for one in (ABBOTT, BAKER):
        assert [True] == [row["visible"] for row in of(desk, "bills", one.number)]
        assert [str(one.amount_due)] == [row["open"] for row in of(desk, "balances", one.number)]
    assert [] == desk.rows("outsorted")
    assert {"held": 0, "released": 2} == {
        name: desk.close(town, "--yes").json["outsorted"][name] for name in ("held", "released")
    }


def test_a_bill_held_after_its_close_loses_its_payment_and_gets_it_again(closed_before):
    desk = closed_before

    held = outsort(desk, ABBOTT.number)
    again = outsort(desk, ABBOTT.number, "another reason")

    assert (0, 0) == (held.status, again.status), held.err
    assert 1 == held.json["withdrawn"]["payments"]
    assert "a mail cannot be called back" in held.json["stands"][0]
    assert again.json["already"]
    assert ["cancelled"] == [row["state"] for row in of(desk, "scheduled-payments", ABBOTT.number)]
    assert ["held"] == [row["reason"] for row in of(desk, "autopay-unscheduled", ABBOTT.number)]

    late = release(desk, ABBOTT.number, "2026-11-16T09:00")
    twice = release(desk, ABBOTT.number, "2026-11-17T09:00")

    assert (0, "2026-11-27") == (late.status, late.json["due_date"]), late.err
    assert (0, True, "2026-11-27") == (
        twice.status, twice.json["already"], twice.json["due_date"],
    )  # fmt: skip
    [payment] = of(desk, "scheduled-payments", ABBOTT.number)
    assert ("scheduled", "2026-11-27") == (payment["state"], payment["pay_date"])
    assert ["2026-11-27"] == [row["due_date"] for row in of(desk, "bills", ABBOTT.number)]
    assert 1 == len(of(desk, "deliveries", ABBOTT.number, "kind=bill"))


def test_a_bill_that_was_drawn_is_refused_and_nothing_is_changed(closed_before):
    desk = closed_before
    assert 0 == desk("collect", "--as-of", "2026-11-02T10:00").status

    answer = outsort(desk, IRWIN.number)

    assert (3, "drawn") == (answer.status, answer.json["failure"]["code"]), answer.err
    assert [] == desk.rows("outsorted")
    assert ["90.00"] == [row["amount"] for row in of(desk, "completed-payments", IRWIN.number)]


def test_what_is_not_held_or_not_known_is_said_in_one_sentence(closed_before):
    desk = closed_before

    answers = [
        release(desk, ABBOTT.number),
        outsort(desk, "99.9999.9"),
        desk("outsort", ABBOTT.number, "--period", "2031-01", "--reason", "x"),
        desk("outsort", ABBOTT.number, "--period", OCTOBER),
        desk("outsort", ABBOTT.number, "--period", OCTOBER, "--reason", " "),
    ]

    assert [3, 2, 2, 2, 2] == [answer.status for answer in answers]
    assert all(len(answer.sentences) == 1 for answer in answers)


def test_a_held_bill_is_left_alone_by_reminders(closed_before):
    desk = closed_before
    assert 0 == outsort(desk, BAKER.number).status

    assert 0 == desk("remind", "--as-of", "2026-11-21T09:00").status

    assert [] == of(desk, "deliveries", BAKER.number, "kind=past-due")
