"""The right day: neither the close nor autopay comes too early."""

from __future__ import annotations

import pytest

from tests.flows.desk import AS_OF

pytestmark = pytest.mark.xdist_group("prefect")


@pytest.mark.parametrize(
    ("as_of", "closed_days", "earliest"),
    [
        pytest.param("2026-10-31T18:00", "", "2026-11-02", id="on the last day of the period"),
        pytest.param("2026-11-01T09:00", "", "2026-11-02", id="on a Sunday"),
        pytest.param("2026-11-02T09:00", "2026-11-02", "2026-11-03", id="on a day of the office"),
    ],
)
def test_a_close_is_refused(desk, town, as_of, closed_days, earliest):
    settings = {"BILLCLOSE_UTILITY__CLOSED_DAYS": closed_days} if closed_days else {}

    answer = desk.close(town, "--yes", as_of=as_of, **settings)

    assert (3, "too-early") == (answer.status, answer.json["refusal"]["code"])
    assert f"{earliest} on" in answer.sentences[0]
    assert [] == desk.rows("bills")
    assert [] == desk.rows("scheduled-payments")


def test_a_close_that_was_too_early_is_done_on_the_next_day(desk, town):
    closed_day = {"BILLCLOSE_UTILITY__CLOSED_DAYS": "2026-11-02"}
    desk.close(town, "--yes", **closed_day)

    answer = desk.close(town, "--yes", as_of="2026-11-03T08:00", **closed_day)

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err


def test_autopay_cannot_be_scheduled_before_the_close(desk, town):
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
