"""A person's yes or no, from the command line: what waits, four eyes, changed figures."""

from __future__ import annotations

import json

import pytest

from tests.flows.desk import AS_OF
from tests.flows.town import BAKER, MISPRINTED, write_town

FOUR_EYES = {"BILLCLOSE_APPROVAL__PEOPLE": "2"}
ANNA, BEN = {"LOGNAME": "anna"}, {"LOGNAME": "ben"}


def approve(desk, *arguments, **settings):
    return desk("approve", "2026-10", *arguments, "--as-of", AS_OF, "--json", **settings)


def test_what_waits_is_shown_with_what_would_happen(waiting, closed):
    shown = waiting("approvals", "--json")
    in_words = waiting("approvals")

    (one,) = shown.json["approvals"]
    figures = one["figures"]
    assert (4, 4) == (shown.status, in_words.status)
    assert ("2026-10", 1, "anna", [], 1) == (
        one["period"], one["request"], one["asked_by"], one["approved_by"], one["missing"],
    )  # fmt: skip
    assert (12, 11, 9) == (figures["accounts"], figures["bills"], figures["deliveries"]["mails"])
    assert {"bills": 5, "pages": 5} == figures["paper"]
    assert len(closed.rows("scheduled-payments")) == figures["autopay"]["scheduled"] == 3
    assert "11 bills, $1,534.31; 9 mails, 5 bills on paper; autopay 3 payments" in in_words.out
    assert "approve 2026-10\n  no " in in_words.out
    assert "\n    OPEN: No backup is known." in in_words.out
    assert "\n  Must be done today" in in_words.out or "\n  Good to know:" in in_words.out
    assert {"must_do", "good_to_know"} == set(one["findings"])


def test_nothing_waits_in_a_closed_office(closed):
    answer = closed("approvals")

    assert (0, "No period waits for a yes.\n") == (answer.status, answer.out)


def test_after_an_approval_whoever_runs_the_close_goes_on(waiting):
    approved = approve(waiting, "--reason", "looked at it on Friday", **BEN)
    none_left = waiting("approvals", "--json").json["approvals"]
    answer = waiting.close("2026-10", as_of="2026-11-11T09:00", **ANNA)

    (act,) = waiting.rows("audit", "action=approve")
    assert (0, ["ben"]) == (approved.status, approved.json["approved_by"]), approved.err
    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert ("ben", "2026-10") == (act["who"], act["subject"])
    assert act["detail"].startswith("looked at it on Friday; 11 bills, $1,534.31; ")
    assert "approved by ben; since then it came to 11 bills" in answer.err
    assert [] == none_left
    assert [("ben",)] == waiting.query("SELECT approved_by FROM bill_run")


def test_a_refusal_stops_the_close_whoever_says_yes_to_it_by_rote(waiting):
    refused = waiting("refuse", "2026-10", "--reason", "old rates", "--as-of", AS_OF, **BEN)
    by_rote = waiting.close("2026-10", "--yes", **ANNA)
    shown = waiting("approvals", "--json").json["approvals"]

    (act,) = waiting.rows("audit", "action=refuse approval")
    assert (0, "") == (refused.status, refused.err)
    assert (3, "refused") == (by_rote.status, by_rote.json["status"])
    assert "refused-by-person" == by_rote.json["refusal"]["code"]
    assert "ben refused it on 2026-11-02 09:00 (old rates)" in by_rote.json["refusal"]["message"]
    assert ("ben", True) == (act["who"], act["detail"].startswith("old rates; "))
    assert ([], []) == (shown, waiting.rows("bills"))


def test_four_eyes_need_another_person(waiting):
    first = waiting.close("2026-10", "--yes", **FOUR_EYES, **ANNA)
    same = approve(waiting, **FOUR_EYES, **ANNA)
    shown = waiting("approvals", **FOUR_EYES)
    second = approve(waiting, **FOUR_EYES, **BEN)
    done = waiting.close("2026-10", **FOUR_EYES, **ANNA)

    assert (4, "waiting") == (first.status, first.json["status"]), first.err
    assert (3, "same-person") == (same.status, same.json["refusal"]["code"])
    assert "approved  by anna; another person has to" in shown.out
    assert (0, ["anna", "ben"]) == (second.status, second.json["approved_by"])
    assert (0, "closed") == (done.status, done.json["status"]), done.err
    assert ["1 of 2 people", "2 of 2 people"] == [
        row["detail"].partition(";")[0] for row in waiting.rows("audit", "action=approve")
    ]
    assert [("anna, ben",)] == waiting.query("SELECT approved_by FROM bill_run")


def test_a_check_that_blocks_is_waived_with_the_approval(desk, tmp_path):
    misprinted = write_town(tmp_path / "larkspur", MISPRINTED)
    refused = desk.close(misprinted)

    blocked = approve(desk, **BEN)
    shown = desk("approvals")
    never = approve(desk, "--waive", "sensitive-data", "--reason", "x", **BEN)
    approved = approve(desk, "--waive", "bill-amount", "--reason", "a cent", **BEN)
    done = desk.close("2026-10", **ANNA)

    assert (3, "bill-amount") == (refused.status, refused.json["refusal"]["code"])
    assert (3, "bill-amount") == (blocked.status, blocked.json["refusal"]["code"])
    for told in (blocked.err, approved.err, shown.out):  # contract 7: seen with the yes
        assert "bill-amount, 1 finding:" in told
        assert f"{BAKER.number} {BAKER.name}" in told
        assert "Checklist before the yes:" in told
    assert "blocked   by bill-amount: correct the export, or waive" in shown.out
    assert "approve 2026-10 --waive bill-amount --reason TEXT" in shown.out
    assert (3, "not-waivable") == (never.status, never.json["refusal"]["code"])
    assert 0 == approved.status, approved.err
    assert (0, "closed") == (done.status, done.json["status"]), done.err
    (waiver,) = desk.rows("audit", "action=waive check")
    (act,) = desk.rows("audit", "action=approve")
    assert ("ben", "2026-10/bill-amount", "a cent") == (
        waiver["who"], waiver["subject"], waiver["detail"],
    )  # fmt: skip
    assert "waives bill-amount" in act["detail"]


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["approve", "2026-12"], 2, "unknown-period"),
        (["approve", "2026-10", "--waive", "bill-amount"], 2, "misuse"),
        (["approve", "2026-10", "--waive", "no-such", "--reason", "x"], 2, "misuse"),
        (["refuse", "2026-10", "--reason", " "], 2, "misuse"),
        (["refuse", "2026-10"], 2, "usage"),
    ],
)
def test_wrong_words_are_refused_with_what_to_do(waiting, words, status, code):
    answer = waiting(*words, "--json")

    assert (status, code) == (answer.status, answer.json["refusal"]["code"]), answer.err
    assert 1 == len(answer.sentences)


def test_what_is_not_ready_or_closed_cannot_be_approved(desk, town, closed):
    desk("import", town, "--as-of", AS_OF)

    staged = approve(desk, **BEN)
    after = approve(closed, **BEN)

    assert (3, "not-ready") == (staged.status, staged.json["refusal"]["code"])
    assert (3, "period-closed") == (after.status, after.json["refusal"]["code"])


def test_the_list_of_acts_of_a_close_is_sound(closed):
    answer = closed("audit", "verify", "--json")

    newest = answer.json["newest"]
    assert (0, "sound") == (answer.status, answer.json["status"])
    assert len(closed.rows("audit")) == answer.json["rows"] == newest["number"]
    again = closed("audit", "verify", "--expect", answer.json["anchor"])
    assert (0, f"{newest['number']}:{newest['hash']}") == (again.status, again.out.split()[-1])


def test_a_changed_act_is_found_and_named(waiting):
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(waiting.home / "billclose.db")) as books:
        books.execute("DROP TRIGGER audit_update")
        books.execute("UPDATE audit SET who = 'somebody else' WHERE id = 1")
        books.commit()

    answer = waiting("audit", "verify", "--json")

    assert (4, "tampered") == (answer.status, answer.json["status"])
    assert {"number": 1, "kind": "changed"}.items() <= answer.json["fault"].items()
    assert "row 1 is not as it was written" in answer.err
    assert json.loads(answer.out) == answer.json


@pytest.mark.parametrize("expected", ["7", "0:" + "a" * 64, "7:xyz", "7:" + "A" * 64])
def test_what_is_expected_is_a_number_and_a_hash(closed, expected):
    answer = closed("audit", "verify", "--expect", expected)

    assert 2 == answer.status
    assert "NUMBER:HASH" in answer.err
