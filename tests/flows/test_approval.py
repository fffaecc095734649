"""A person's yes, a rehearsal, and doing it again."""

from __future__ import annotations

import re

import pytest

from tests.flows.desk import AS_OF

SHOWN = ("bills", "deliveries", "paper", "scheduled-payments", "autopay-unscheduled")
FIGURES = ("pages", "bills", "checks", "totals", "autopay", "deliveries")


def test_without_a_yes_everything_is_ready_and_nothing_shows(asked):
    desk, answer = asked

    assert (4, "waiting") == (answer.status, answer.json["status"]), answer.err
    assert {what: [] for what in SHOWN} == {what: desk.rows(what) for what in SHOWN}
    assert not (desk.home / "mail").exists()


@pytest.fixture(scope="module")
def answered(asked, tmp_path_factory):
    """An office that got its yes after a weekend, and what it said then: for reading only."""
    desk = asked[0].copied(tmp_path_factory.mktemp("answered") / "office")
    return desk, desk.close("2026-10", "--yes", as_of="2026-11-11T09:00")


def test_a_later_yes_goes_on_from_there(answered, closed):
    desk, answer = answered

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert re.search(r"split bulk bills +13 pages, 11 bills, .+\(done before\)", answer.err)
    assert bills(closed) == bills(desk)
    assert 9 == len(desk.rows("deliveries", "status=sent"))


def test_a_yes_after_a_weekend_draws_what_has_become_late(answered):
    payments = answered[0].rows("scheduled-payments")

    assert [
        ("01.1006.6", "2026-11-11", True),
        ("01.1009.9", "2026-11-11", True),
        ("01.1001.1", "2026-11-13", False),
    ] == [(row["account"], row["pay_date"], row["immediate"]) for row in payments]


def test_a_rehearsal_gives_the_figures_of_the_close_and_leaves_no_trace(desk, town, closed):
    before = desk.files()

    answer = desk.close(town, "--dry-run")

    real = closed.close(town, "--yes").json
    assert (0, "dry-run") == (answer.status, answer.json["status"]), answer.err
    assert {name: real[name] for name in FIGURES} == {name: answer.json[name] for name in FIGURES}
    assert real["paper"]["bills"] == answer.json["paper"]["bills"]
    assert real["paper"]["pages"] == answer.json["paper"]["pages"]
    assert before == desk.files()
    assert {what: [] for what in SHOWN} == {what: desk.rows(what) for what in SHOWN}


def test_a_rehearsal_of_what_waits_leaves_it_waiting(waiting):
    before = waiting.files()

    answer = waiting.close("2026-10", "--dry-run")

    assert (0, "dry-run", 11) == (answer.status, answer.json["status"], answer.json["bills"])
    assert before == waiting.files()


@pytest.mark.parametrize("what", ["bundle", "period"])
def test_closing_again_does_nothing_again(closed, town, tmp_path, what):
    desk = closed.copied(tmp_path / "office")
    before = desk.files()

    answer = desk.close(town if what == "bundle" else "2026-10", "--yes", as_of="2026-11-19T09:00")

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert before == desk.files()


def test_checking_shows_what_a_close_would_find_and_the_close_goes_on(desk, town, closed):
    desk("import", town, "--as-of", AS_OF)

    checked = desk("check", "2026-10", "--as-of", AS_OF, "--json")
    not_yet = {what: desk.rows(what) for what in SHOWN}
    answer = desk.close("2026-10", "--yes")

    assert (0, "checked") == (checked.status, checked.json["status"]), checked.err
    assert checked.json["checks"] == closed.close(town, "--yes").json["checks"]
    assert {what: [] for what in SHOWN} == not_yet
    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert bills(closed) == bills(desk)


def test_checking_a_closed_period_changes_nothing(closed, tmp_path):
    desk = closed.copied(tmp_path / "office")
    before = {what: desk.rows(what) for what in SHOWN}

    answer = desk("check", "2026-10", "--as-of", AS_OF, "--json")

    assert 0 == answer.status, answer.err
    assert before == {what: desk.rows(what) for what in SHOWN}


def bills(desk):
    return {row["account"]: row["sha256"] for row in desk.rows("bills")}
