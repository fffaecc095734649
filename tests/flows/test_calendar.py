"""The right day: neither the close nor autopay comes too early."""

from __future__ import annotations

import contextlib
import io
import sqlite3

import pytest

from tests.flows.desk import AS_OF


@pytest.mark.parametrize(
    ("as_of", "closed_days", "earliest"),
    [
        pytest.param("2026-10-31T18:00", "", "2026-11-02", id="on the last day of the period"),
        pytest.param("2026-11-01T09:00", "", "2026-11-02", id="on a Sunday"),
        pytest.param("2026-11-02T09:00", "2026-11-02", "2026-11-03", id="on a day of the office"),
    ],
)
def test_a_close_is_refused(desk, town, as_of, closed_days, earliest):
    """Rules 5, 6."""
    settings = {"BILLCLOSE_UTILITY__CLOSED_DAYS": closed_days} if closed_days else {}

    answer = desk.close(town, "--yes", as_of=as_of, **settings)

    assert (3, "too-early") == (answer.status, answer.json["refusal"]["code"])
    assert f"{earliest} on" in answer.sentences[0]
    assert [] == desk.rows("bills")
    assert [] == desk.rows("scheduled-payments")


@pytest.mark.release  # the day that it names is shown above, a second close in test_refusals.py
def test_a_close_that_was_too_early_is_done_on_the_next_day(desk, town):
    closed_day = {"BILLCLOSE_UTILITY__CLOSED_DAYS": "2026-11-02"}
    desk.close(town, "--yes", **closed_day)

    answer = desk.close(town, "--yes", as_of="2026-11-03T08:00", **closed_day)

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err


def test_autopay_cannot_be_scheduled_before_the_close(desk, town):
    """Rules 2, 7, 9 and 42."""
    desk("import", town, "--as-of", AS_OF)

    answer = desk("schedule-autopay", "2026-10", "--as-of", AS_OF, "--json")

    assert (3, 1) == (answer.status, len(answer.sentences))
    assert "period-open" == answer.json["refusal"]["code"]
    assert [] == desk.rows("scheduled-payments")


def test_autopay_that_was_scheduled_is_not_scheduled_again(closed, tmp_path):
    desk = closed.copied(tmp_path / "office")
    before = desk.rows("scheduled-payments"), desk.rows("autopay-unscheduled")

    answer = desk("schedule-autopay", "2026-10", "--as-of", "2026-11-18T09:00", "--json")

    assert 0 == answer.status, answer.err
    assert {"scheduled": 3, "immediate": 1, "unscheduled": 4, "amount": "167.35"} == answer.json[
        "autopay"
    ]
    assert before == (desk.rows("scheduled-payments"), desk.rows("autopay-unscheduled"))


def test_a_rehearsed_schedule_schedules_nothing(closed, tmp_path):
    desk = closed.copied(tmp_path / "office")
    before = desk.files()

    answer = desk("schedule-autopay", "2026-10", "--as-of", AS_OF, "--json", "--dry-run")

    assert (0, "dry-run") == (answer.status, answer.json["status"]), answer.err
    assert before == desk.files()


LATE = "2026-11-18T09:00"


@pytest.fixture
def forgotten(closed, tmp_path):
    """An office that closed in time and forgot to schedule autopay."""
    desk = closed.copied(tmp_path / "office")
    with contextlib.closing(sqlite3.connect(desk.home / "billclose.db")) as books, books:
        books.execute("DELETE FROM gateway_payment")
        books.execute("DELETE FROM autopay_unscheduled")
    return desk


def test_a_late_schedule_shows_its_groups_and_takes_everybody_where_nobody_is_asked(forgotten):
    """Rule 73."""
    look = forgotten("schedule-autopay", "2026-10", "--as-of", LATE, "--json", "--dry-run")
    before = forgotten.rows("scheduled-payments")
    done = forgotten("schedule-autopay", "2026-10", "--as-of", LATE, "--json")

    payments = {name: group["payments"] for name, group in look.json["groups"].items()}
    assert (0, []) == (look.status, before), look.err
    assert 3 == sum(number for name, number in payments.items() if name != "over-maximum")
    assert payments == {name: group["payments"] for name, group in done.json["groups"].items()}
    assert {"payments": 0, "amount": "0.00"} == done.json["left_out"]
    assert (0, 3, 3) == (
        done.status,
        done.json["autopay"]["scheduled"],
        done.json["autopay"]["immediate"],
    ), done.err
    assert {"2026-11-18"} == {row["pay_date"] for row in forgotten.rows("scheduled-payments")}


def test_of_a_late_schedule_a_clerk_may_leave_groups_out_and_take_them_later(forgotten):
    some = forgotten(
        "schedule-autopay", "2026-10", "--as-of", LATE, "--json", "--groups", "immediate"
    )
    listed = forgotten.rows("exceptions", "code=autopay-left-out")
    rest = forgotten("schedule-autopay", "2026-10", "--as-of", LATE, "--json", "--yes")

    left = some.json["left_out"]["payments"]
    assert (4, 3 - left) == (some.status, some.json["autopay"]["scheduled"]), some.err
    assert left == len(listed) > 0
    assert (0, 3) == (rest.status, rest.json["autopay"]["scheduled"]), rest.err
    assert [] == forgotten.rows("exceptions", "code=autopay-left-out")


@pytest.mark.parametrize("groups", ["late", "", "on-time,late"])
def test_groups_that_there_are_not_are_refused(forgotten, groups):
    answer = forgotten("schedule-autopay", "2026-10", "--groups", groups, "--json")

    assert 2 == answer.status
    assert "on-time, immediate, short-notice" in answer.json["refusal"]["message"]


@pytest.mark.parametrize(
    ("as_of", "typed", "scheduled", "asked"),
    [
        (LATE, "none\n", 0, True),
        (LATE, "late\nall\n", 3, True),
        (AS_OF, "", 3, False),  # in time: who is charged at once has chosen so
    ],
)
def test_at_a_terminal_a_late_run_shows_who_is_charged_today_and_asks(
    forgotten, monkeypatch, as_of, typed, scheduled, asked
):
    monkeypatch.setattr("command_line.options.is_at_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    answer = forgotten("schedule-autopay", "2026-10", "--as-of", as_of)

    assert scheduled == len(forgotten.rows("scheduled-payments")), answer.err
    assert asked == ("This schedule is late" in answer.err)
