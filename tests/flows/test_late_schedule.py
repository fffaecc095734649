"""A late schedule in the Prefect UI: its groups are shown, and nobody is charged before the yes."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import SetStateStatus
from prefect.states import Scheduled

from deployments.served import schedule
from tests.flows.desk import Desk, at_server
from tests.flows.town import write_town
from tests.flows.waiting import Waiting

PERIOD = "2025-10"  # late for whoever runs the tests: served flows go by the clock
IN_TIME = "2025-11-03T09:00"


@pytest.fixture(scope="module")
def forgotten(prepared, server, tmp_path_factory):
    """An office that closed in time and scheduled nothing: for copying."""
    place = tmp_path_factory.mktemp("forgotten")
    desk = Desk(prepared.copied(place / "office").home, server.environment)
    bundle = write_town(place / "larkspur", period=PERIOD)
    closed = desk.close(bundle, "--yes", as_of=IN_TIME)
    assert closed.status == 0, closed.err
    with contextlib.closing(sqlite3.connect(desk.home / "billclose.db")) as books, books:
        books.execute("DELETE FROM gateway_payment")
        books.execute("DELETE FROM autopay_unscheduled")
    return desk


@pytest.fixture
def start(forgotten, server, tmp_path, monkeypatch):
    """Start the deployed schedule of a period that was closed in time without any."""
    desk = forgotten.copied(tmp_path / "office")
    monkeypatch.setenv("BILLCLOSE_HOME", str(desk.home))
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    with at_server(server.running.api_url), get_client(sync_client=True) as client:
        identity = schedule.to_deployment("late").apply()

        def started(**parameters) -> Waiting:
            run = client.create_flow_run_from_deployment(
                identity, parameters={"period": PERIOD, **parameters}, state=Scheduled()
            )
            return Waiting(schedule, desk, client, run)

        yield started
        client.delete_deployment(identity)


def test_the_run_shows_the_groups_and_schedules_those_that_are_chosen(start):
    """Ruling 21; rules 55, 59 and 73."""
    late = start()

    waits = late.go_on()
    text, schema = late.form("description"), late.form("schema")
    nothing_yet = late.desk.rows("scheduled-payments")
    unnamed = late.answer(decision="schedule", groups=["immediate"])
    groupless = late.answer(decision="schedule", name="Anna", groups=[])
    late.answer(decision="look again")
    again = late.go_on()
    accepted = late.answer(decision="schedule", name="Anna", groups=["immediate"])
    done = late.go_on()

    assert ("Suspended", "Suspended") == (waits.state.name, again.state.name)
    assert "press Resume in this run's menu" in waits.state.message
    assert "- immediate " in text and ": charged today" in text
    assert ["look again", "schedule", "nobody"] == schema["properties"]["decision"]["enum"]
    assert (SetStateStatus.REJECT, SetStateStatus.REJECT) == (unnamed, groupless)
    assert (SetStateStatus.ACCEPT, []) == (accepted, nothing_yet)
    assert ("Completed", f"autopay of {PERIOD} is scheduled") == (
        done.state.name,
        done.state.message,
    )
    left = late.desk.rows("exceptions", "code=autopay-left-out")
    scheduled = late.desk.rows("scheduled-payments")
    assert 0 < len(scheduled) == 3 - len(left)
    (act,) = late.desk.rows("audit", "action=choose groups")
    assert ("Anna (Prefect UI)", "immediate") == (act["who"], act["detail"])


def test_nobody_is_an_answer_and_whoever_names_groups_beforehand_is_not_asked(start):
    asked, told = start(), start(groups=["on-time", "immediate", "short-notice"])

    asked.go_on()
    asked.answer(decision="nobody", name="Ben")
    nobody = asked.go_on()
    left = len(asked.desk.rows("exceptions", "code=autopay-left-out"))
    everybody = told.go_on()

    assert ("Completed", 3) == (nobody.state.name, left)
    assert "Completed" == everybody.state.name
    assert 3 == len(told.desk.rows("scheduled-payments"))


def test_an_answer_to_other_figures_is_asked_once_more(start):
    late = start()

    late.go_on()
    late.answer(decision="schedule", name="Anna", groups=["immediate"])
    with contextlib.closing(sqlite3.connect(late.desk.home / "billclose.db")) as books, books:
        books.execute(  # meanwhile one of them paid
            "UPDATE balance_due SET paid = amount_due WHERE account_key = ("
            "SELECT min(account_key) FROM planned_payment WHERE pay_on IS NOT NULL)"
        )
    asked = late.go_on()
    late.answer(decision="schedule", name="Anna", groups=["immediate"])
    done = late.go_on()

    assert ("Suspended", "Completed") == (asked.state.name, done.state.name)
    assert 2 == len(late.desk.rows("scheduled-payments"))
