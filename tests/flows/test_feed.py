"""`feed`, `refund` and the night beside them, as a clerk and a scheduler run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.billing_system.feed.builders import write_feed
from tests.flows.desk import Answer, Desk
from tests.flows.test_collecting import PAY_DAY

ABBOTT = "01.1001.1"
MORNING = "2026-11-10T09:00"
DAILY = {"BILLCLOSE_FEED__MAX_AGE": "30"}


@pytest.fixture
def office(closed, tmp_path) -> Desk:
    return closed.copied(tmp_path / "home")


def a_night(place: Path, *rows: tuple[str, ...], number: int = 1, day: str = "2026-11-09") -> Path:
    heading = f"sequence = {number}\nwritten_at = {day}T22:00:00\n"
    return write_feed(place / f"night-{number}", *rows, heading=heading)


def counter(amount: str, movement_id: str = "M1") -> tuple[str, ...]:
    return (movement_id, ABBOTT, "2026-11-09", "payment", amount, "CASH 1")


def refusal_of(answer: Answer) -> dict[str, str]:
    said = answer.json
    refusal: dict[str, str] = said.get("failure") or said["refusal"]
    return refusal


def owed(desk: Desk) -> str:
    due = f"account = '{ABBOTT}'"
    return str(desk.query(f"SELECT amount_due + added - paid FROM balance_due WHERE {due}")[0][0])


def test_a_payment_at_the_counter_is_known_the_next_morning(office, tmp_path):
    before = int(owed(office))

    said = office("feed", a_night(tmp_path, counter("-10.00")), "--json", "--as-of", MORNING)
    again = office("feed", tmp_path / "night-1", "--json", "--as-of", MORNING)

    assert (0, "done", "-10.00") == (said.status, said.json["status"], said.json["amount"])
    assert before - 1000 == int(owed(office))
    assert (True, 0) == (again.json["known_file"], again.json["movements"]["new"])
    (row,) = [one for one in office.rows("movements") if one["id"] == "feed/M1"]
    assert (ABBOTT, "-10.00", "feed") == (row["account"], row["amount"], row["source"])
    (paid,) = [one for one in office.rows("completed-payments") if one["source"] == "counter"]
    assert ("CASH 1", "10.00") == (paid["confirmation"], paid["amount"])


def test_the_same_movement_with_another_amount_needs_a_person(office, tmp_path):  # case 16
    office("feed", a_night(tmp_path, counter("-10.00")), "--as-of", MORNING)

    other = a_night(tmp_path, counter("-20.00"), number=2)
    said = office("feed", other, "--json", "--as-of", MORNING)

    assert (4, "needs-person") == (said.status, said.json["status"])
    assert "movement-changed" in [one["code"] for one in office.rows("exceptions")]


def test_a_path_that_is_no_feed_is_wrong_use(office, tmp_path):
    assert 2 == office("feed", tmp_path / "nothing").status
    assert 2 == office("feed").status


def test_what_lies_in_the_feeds_folder_is_taken_in_and_put_away(office):
    inbox = office.home / "inbox"
    a_night(inbox, counter("-10.00"))

    said = office("feed", "--json", "--as-of", MORNING, BILLCLOSE_FEED__FOLDER="inbox")
    again = office("feed", "--json", "--as-of", MORNING, BILLCLOSE_FEED__FOLDER="inbox")

    assert (1, 0) == (len(said.json["files"]), len(again.json["files"]))
    assert ["taken-in"] == [one.name for one in inbox.iterdir()]


@pytest.mark.parametrize("command", ["collect", "remind"])
def test_nothing_is_drawn_or_dunned_by_balances_that_are_not_of_today(office, command):
    said = office(command, "--json", "--as-of", PAY_DAY, **DAILY)
    warned = office(
        command, "--json", "--as-of", PAY_DAY, BILLCLOSE_FEED__WHEN_STALE="warn", **DAILY
    )  # fmt: skip

    assert (3, "stale-balances") == (said.status, refusal_of(said)["code"])
    assert warned.status in (0, 4)
    assert "not of today" in warned.json["balances"]


def test_a_person_may_go_on_by_old_balances_and_that_is_audited(office):
    said = office(
        "collect", "--json", "--as-of", PAY_DAY,
        "--despite-stale-balances", "the feed is down", **DAILY,
    )  # fmt: skip

    assert said.json["drawn"]["count"] > 0
    actions = [one["action"] for one in office.rows("audit")]
    assert "collect despite stale balances" in actions


def test_a_gap_stops_the_night_until_it_is_accepted(office, tmp_path):
    for number in (1, 3):
        night = a_night(tmp_path, number=number, day="2026-11-12")
        office("feed", night, "--as-of", PAY_DAY)

    stopped = office("collect", "--json", "--as-of", PAY_DAY, **DAILY)
    accepted = office("feed", "accept-gap", "2", "--reason", "lost", "--as-of", PAY_DAY)
    going_on = office("collect", "--json", "--as-of", PAY_DAY, **DAILY)

    assert (3, "stale-balances") == (stopped.status, refusal_of(stopped)["code"])
    assert "file 2" in refusal_of(stopped)["message"]
    assert 0 == accepted.status and going_on.json["drawn"]["count"] > 0


def test_without_a_feed_the_night_says_so(office):
    said = office("collect", "--json", "--as-of", PAY_DAY)

    assert said.json["balances"].startswith("no feed")


def test_of_files_that_are_taken_in_by_hand_the_night_says_the_newest(office, tmp_path):
    office("feed", a_night(tmp_path, counter("-10.00")), "--as-of", MORNING)

    said = office("remind", "--json", "--as-of", MORNING)

    assert "its newest file, written November 9, 2026 at 10:00 PM MST" in said.json["balances"]


def test_a_payment_is_given_back_and_owed_again(office):
    office("collect", "--as-of", PAY_DAY)
    payment = next(one for one in office.rows("completed-payments") if one["amount"] > "10.00")
    number = payment["confirmation"]

    part = office(
        "refund", number, "--amount", "1.00", "--reason", "meter", "--json",
        "--as-of", "2026-11-14T09:00",
    )  # fmt: skip
    too_much = office("refund", number, "--amount", "9999.00", "--reason", "meter", "--json")

    assert (0, "1.00") == (part.status, part.json["amount"])
    assert (3, "refund-too-much") == (too_much.status, refusal_of(too_much)["code"])
    rows = [one for one in office.rows("completed-payments") if one["confirmation"] == number]
    assert ["returned-in-part"] == [one["state"] for one in rows]


def test_a_number_that_the_gateway_does_not_know_is_no_payment(office):
    said = office("refund", "SB99999999", "--reason", "meter", "--json")

    assert 2 == said.status


def test_deposits_that_agree_leave_nothing_to_do(office):
    said = office("deposits", "--json")

    assert (0, {"differences": []}) == (said.status, json.loads(said.out))


def test_a_person_decides_about_an_amount_by_its_key(office, tmp_path):
    office("feed", a_night(tmp_path, counter("-10.00")), "--as-of", MORNING)
    owed_less = int(owed(office))
    words = ("balances", "decide", "feed/M1", "--reason", "it is in the bill", "--as-of", MORNING)

    done = office(*words, "--contained", "--json")

    assert (0, "done", "contained") == (done.status, done.json["status"], done.json["decided"])
    assert (True, owed_less + 1000) == (done.json["changed"], int(owed(office)))
    assert "decide balance" in [one["action"] for one in office.rows("audit")]
    assert "stood so already" in office(*words, "--contained").out
    assert 2 == office(*words).status


def test_a_key_that_nobody_knows_is_wrong_use_in_one_sentence(office):
    said = office(
        "balances", "decide", "M9", "--carried", "--reason", "x", "--json", "--as-of", MORNING
    )

    assert (2, "unknown-key") == (said.status, refusal_of(said)["code"])
