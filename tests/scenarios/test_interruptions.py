"""A close that is stopped anywhere and started again ends as one that was never stopped.

Ruling 18.
"""

from __future__ import annotations

import signal
from multiprocessing.connection import wait

import pytest

from tests.scenarios.interrupted import (
    Moment,
    before_a_release,
    interrupt,
    kill,
    result,
    start,
)

pytestmark = pytest.mark.slow

MOMENTS = [  # amid the bills; between steps the last test of this file dies
    Moment("half", "split bulk bills"),
]
OTHERS = [
    Moment("rename", "mail", 17),  # where the backup is of that test_backups_in_mid_close restores
    Moment("begin", "publish bills"),
    Moment("end", "import billing export"),
    Moment("end", "split bulk bills"),
    Moment("end", "check bills and balances"),
    Moment("end", "publish bills"),
    Moment("end", "schedule autopay"),
    Moment("end", "send paperless bills"),
    Moment("rename", "print"),
    Moment("rename", "reports"),
]


@pytest.mark.parametrize("moment", [*MOMENTS, *map(before_a_release, OTHERS)], ids=str)
def test_killed_and_started_again(desk, towns, undisturbed, moment):
    killed = start(desk, [towns, "--yes"], moment, kill)
    assert -signal.SIGKILL == killed.wait()

    answer = desk.close(towns, "--yes")

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert undisturbed == result(desk)


@pytest.mark.parametrize("number", [before_a_release(3), 9, before_a_release(15)])
def test_killed_before_a_commit_and_started_again(desk, towns, undisturbed, number):
    killed = start(desk, [towns, "--yes"], Moment("commit", number=number), kill)
    assert -signal.SIGKILL == killed.wait()

    answer = desk.close(towns, "--yes")

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert undisturbed == result(desk)


@pytest.mark.parametrize(
    "moment",
    [
        Moment("half", "split bulk bills"),
        before_a_release(Moment("begin", "check bills and balances")),
        before_a_release(Moment("rename", "mail", 17)),
    ],
    ids=str,
)
def test_stopped_with_ctrl_c_and_started_again(desk, towns, undisturbed, moment):
    stopped = start(desk, [towns, "--yes"], moment, interrupt).answer()

    answer = desk.close(towns, "--yes")

    assert (1, 1) == (stopped.status, len(stopped.sentences)), stopped.err
    assert "run the same command again" in stopped.sentences[0]
    assert "Traceback" not in stopped.err
    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert undisturbed == result(desk)


def test_of_two_closes_at_the_same_moment_one_works_and_the_other_is_told_who(
    desk, towns, undisturbed
):
    begun = Moment("begin", "import billing export")
    both = [start(desk, [towns, "--yes"], begun) for _ in range(2)]
    (first,) = wait([close.answers for close in both])
    loser, winner = sorted(both, key=lambda close: close.answers is not first)

    refused = loser.answer()
    winner.go_on()
    closed = winner.answer()

    assert (3, "already-running") == (refused.status, refused.json["refusal"]["code"])
    assert f"process {winner.process.pid} on" in refused.sentences[0]
    assert (0, "closed") == (closed.status, closed.json["status"]), closed.err
    assert undisturbed == result(desk)


def test_an_office_that_forgot_to_schedule_draws_late_payments_at_once(desk, town):
    start(desk, [town, "--yes"], Moment("begin", "schedule autopay"), kill).wait()

    answer = desk("schedule-autopay", "2026-10", "--as-of", "2026-11-12T09:00", "--json")
    finished = desk.close("2026-10", "--yes", as_of="2026-11-12T09:30")

    assert (0, "scheduled") == (answer.status, answer.json["status"]), answer.err
    assert {"scheduled": 3, "immediate": 2, "unscheduled": 4, "amount": "167.35"} == answer.json[
        "autopay"
    ]
    assert [
        ("01.1006.6", "2026-11-12", True),
        ("01.1009.9", "2026-11-12", True),
        ("01.1001.1", "2026-11-13", False),
    ] == [
        (row["account"], row["pay_date"], row["immediate"])
        for row in desk.rows("scheduled-payments")
    ]
    assert (0, 9) == (finished.status, finished.json["deliveries"]["sent"]), finished.err
