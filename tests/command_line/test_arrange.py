"""`billclose arrange`: a plan is set up, shown, approved and ended by command."""

from __future__ import annotations

import pytest

from tests.flows.fixtures import closed, desk, prepared, server, town

__all__ = ["closed", "desk", "prepared", "server", "town"]
ACCOUNT, DAY = "01.1002.2", "2026-11-03T09:00"
PLAN = ("--installments", "3", "--every", "month", "--reason", "asked by phone")


@pytest.fixture
def office(closed, tmp_path):
    return closed.copied(tmp_path / "office")


def test_a_plan_is_shown_set_up_and_ended(office):
    looked = office("arrange", ACCOUNT, *PLAN, "--dry-run", "--json", "--as-of", DAY)
    nothing_yet = office.rows("arrangements")
    made = office("arrange", ACCOUNT, *PLAN, "--yes", "--as-of", DAY)
    (plan,) = office.rows("arrangements")
    ended = office("arrange", ACCOUNT, "--cancel", "--reason", "paid", "--yes", "--as-of", DAY)
    (after,) = office.rows("arrangements")

    assert (0, [], 0, 0) == (looked.status, nothing_yet, made.status, ended.status), made.err
    assert ("in-force", "1031.00", 3) == (plan["state"], plan["amount"], plan["installments"])
    assert ("ended", "paid") == (after["state"], after["end_reason"])


def test_a_program_that_gives_no_yes_is_shown_what_would_be_and_nothing_is_done(office):
    shown = office("arrange", ACCOUNT, *PLAN, "--json", "--as-of", DAY)
    nothing_yet = office.rows("arrangements")
    office("arrange", ACCOUNT, *PLAN, "--yes", "--json", "--as-of", DAY)
    ending = ("--cancel", "--reason", "paid", "--json", "--as-of", DAY)
    ended = office("arrange", ACCOUNT, *ending)
    (plan,) = office.rows("arrangements")

    assert (0, "shown", 3) == (
        shown.status, shown.json["status"], len(shown.json["installments"]),
    )  # fmt: skip
    assert [] == nothing_yet
    assert (0, "shown", "1031.00") == (ended.status, ended.json["status"], ended.json["left"])
    assert "in-force" == plan["state"]


def test_a_yes_never_ends_a_plan_whatever_reason_is_given_with_it(office):
    office("arrange", ACCOUNT, *PLAN, "--yes", "--as-of", DAY)

    answer = office("arrange", ACCOUNT, "--approve", "--reason", "looked at it", "--as-of", DAY)

    assert 2 == answer.status and "is in force already" in answer.err
    assert ["in-force"] == [row["state"] for row in office.rows("arrangements")]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--installments", "0"), "A plan has 1 to 36 installments."),
        (("--amount", "40.00"), "Give either --installments N or --on"),
        (("--on", "2026-12-01"), "write DATE=AMOUNT"),
        (("--on", "2026-12-01=2000.00"), "$1,031.00 is open"),
        (("--on", "2026-11-02=10.00"), "is past"),
    ],
)
def test_a_plan_that_is_nearly_right_is_one_sentence(office, words, sentence):
    answer = office("arrange", ACCOUNT, *words, "--reason", "asked", "--yes", "--as-of", DAY)

    (said,) = answer.sentences
    assert 2 == answer.status and sentence in said
    assert [] == office.rows("arrangements")
