"""A deployed close waits in the Prefect UI: no process is held, and an answer is taken once."""

from __future__ import annotations

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import SetStateStatus
from prefect.states import Scheduled

from deployments.served import close
from tests.flows.desk import at_server
from tests.flows.town import MISPRINTED, write_town
from tests.flows.waiting import Waiting

PERIOD = "2025-10"  # its end is past for whoever runs the tests: served flows go by the clock
NAMES = {"BILLCLOSE_APPROVAL__APPROVERS": "anna, ben"}


@pytest.fixture
def start(desk, server, monkeypatch):
    """Start the deployed close of a bundle beside the test's server."""
    monkeypatch.setenv("BILLCLOSE_HOME", str(desk.home))
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    with at_server(server.running.api_url), get_client(sync_client=True) as client:
        identity = close.to_deployment("suspended").apply()

        def started(bundle) -> Waiting:
            run = client.create_flow_run_from_deployment(
                identity, parameters={"period": PERIOD, "bundle": str(bundle)}, state=Scheduled()
            )
            return Waiting(close, desk, client, run)

        yield started
        client.delete_deployment(identity)


def test_the_close_waits_with_the_figures_and_goes_on_after_a_yes(start, tmp_path, monkeypatch):
    for name, value in NAMES.items():
        monkeypatch.setenv(name, value)
    close_run = start(write_town(tmp_path / "larkspur", period=PERIOD))

    waits = close_run.go_on()
    text, schema = close_run.form("description"), close_run.form("schema")
    stranger = close_run.answer(decision="approve", name="zoe")
    nothing_yet = close_run.desk.rows("bills")
    accepted = close_run.answer(decision="approve", name="anna", reason="looked at it")
    done = close_run.go_on()
    cards = close_run.cards()

    assert {1} == {cards[f"{name}-{PERIOD}"] for name in ("checks", "approval", "report")}
    assert (f"close {PERIOD} Larkspur", "Suspended") == (waits.name, waits.state.name)
    assert "11 bills, $1,534.31; 9 mails, 5 bills on paper" in waits.state.message
    assert "press Resume in this run's menu" in waits.state.message
    assert f"`billclose approve {PERIOD}`" in waits.state.message
    assert "| bills | 11, $1,534.31, due 2025-11-20 |" in text
    assert ["", "anna", "ben"] == schema["properties"]["name"]["enum"]
    assert ["look again", "approve", "refuse"] == schema["properties"]["decision"]["enum"]
    assert (SetStateStatus.REJECT, []) == (stranger, nothing_yet)
    assert SetStateStatus.ACCEPT == accepted
    assert ("Completed", f"{PERIOD} is closed") == (done.state.name, done.state.message)
    (act,) = close_run.desk.rows("audit", "action=approve")
    assert ("anna (Prefect UI)", True) == (act["who"], act["detail"].startswith("looked at it; "))


def test_a_check_that_blocks_is_waived_in_the_form_and_what_cannot_be_taken_is_said(
    start, tmp_path
):
    close_run = start(write_town(tmp_path / "larkspur", MISPRINTED, period=PERIOD))

    close_run.go_on()
    choices = close_run.form("schema")["properties"]["waive"]["items"]["enum"]
    close_run.answer(decision="approve", name="Anna")
    again = close_run.go_on()
    told = close_run.form("description")
    close_run.answer(decision="approve", name="Anna", reason="a cent", waive=["bill-amount"])
    done = close_run.go_on()

    assert ["bill-amount"] == choices
    assert "Suspended" == again.state.name
    assert "the last answer was not taken" in again.state.message
    assert "**The last answer was not taken.**" in told
    assert f"{PERIOD} is closed" == done.state.message
    held = [row["account"] for row in close_run.desk.rows("exceptions", "code=bill-amount")]
    assert ["01.1002.2"] == held
    assert ["waive check", "approve"] == [
        row["action"] for row in close_run.desk.rows("audit") if row["who"] == "Anna (Prefect UI)"
    ]


def test_a_refusal_in_the_form_ends_the_run_with_its_reason(start, tmp_path):
    close_run = start(write_town(tmp_path / "larkspur", period=PERIOD))

    close_run.go_on()
    close_run.answer(decision="refuse", name="Ben", reason="old rates")
    ended = close_run.go_on()

    assert "Failed" == ended.state.name
    assert "Ben (Prefect UI) refused it" in ended.state.message
    assert "(old rates)" in ended.state.message
    assert [] == close_run.desk.rows("bills")


def test_a_yes_from_the_command_line_wakes_the_run(start, tmp_path, server):
    """Where it was begun twice, the older run waits for nobody any more."""
    bundle = write_town(tmp_path / "larkspur", period=PERIOD)
    older, close_run = start(bundle), start(bundle)

    older.go_on()
    close_run.go_on()
    over = older.client.read_flow_run(older.run.id).state
    said = close_run.desk("approve", PERIOD, LOGNAME="ben")
    woken = close_run.client.read_flow_run(close_run.run.id)
    done = close_run.go_on()

    assert ("Cancelled", True) == (over.name, "the newer run waits" in over.message)
    assert (0, []) == (said.status, said.sentences)  # what was found is shown before the yes
    assert "The run that waits in Prefect goes on." in said.out
    assert ("SCHEDULED", f"{PERIOD} is closed") == (woken.state_type.value, done.state.message)
