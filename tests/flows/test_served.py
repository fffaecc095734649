"""The flows as a Prefect server starts them: deployments, schedules, the office of the home."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client

from deployments.serve import deployments
from deployments.served import FLOWS, check, close, schedule
from domain.failures import Refused
from flows.close_period import close_period
from tests.flows.desk import at_server
from tests.flows.town import MISPRINTED, write_town

pytestmark = pytest.mark.xdist_group("prefect")

PERIOD = "2025-10"  # its end is past for whoever runs the tests: served flows go by the clock


@pytest.fixture
def at_work(desk, server, monkeypatch):
    """An office that the environment names, beside the server."""
    monkeypatch.setenv("BILLCLOSE_HOME", str(desk.home))
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    with at_server(server.running.api_url):
        yield desk


@pytest.fixture(scope="module")
def october(tmp_path_factory):
    return write_town(tmp_path_factory.mktemp("october") / "larkspur", period=PERIOD)


def test_the_office_is_closed_from_the_server(at_work, october):
    waits = close(PERIOD, str(october), return_state=True)
    nothing_yet = at_work.rows("bills")
    checked = check(PERIOD, return_state=True)
    done = close(PERIOD, approve=True, return_state=True)
    scheduled = schedule(PERIOD, return_state=True)

    assert ("Waiting", []) == (waits.name, nothing_yet)
    assert f"{PERIOD} is checked" == checked.message
    assert (f"{PERIOD} is closed", 11) == (done.message, len(at_work.rows("bills")))
    assert f"autopay of {PERIOD} is scheduled" == scheduled.message
    assert 9 == len(at_work.rows("deliveries", "status=sent"))


def test_a_refusal_from_the_server_is_a_failed_run(at_work, tmp_path):
    misprinted = write_town(tmp_path / "larkspur", MISPRINTED, period=PERIOD)

    with pytest.raises(Refused, match="bill-amount"):
        close(PERIOD, str(misprinted), approve=True)

    assert [] == at_work.rows("bills")


def test_every_flow_has_a_deployment_and_two_runs_of_one_never_overlap():
    made = deployments()

    assert [found.name for found in FLOWS] == [found.name for found in made]
    assert {1} == {found.concurrency_limit for found in made}
    assert ["CANCEL_NEW"] * len(made) == [
        found.concurrency_options.collision_strategy.value for found in made
    ]


@pytest.mark.slow
def test_a_schedule_makes_runs_and_deployments_are_listed(at_work, server):
    """Both broke with releases of the server's web framework that were otherwise fine."""
    plan = close_period.to_deployment("every-minute", cron="* * * * *", parameters={"period": "x"})
    identity = plan.apply()
    listed = subprocess.run(
        [Path(sys.executable).with_name("prefect"), "--no-prompt", "deployment", "ls"],
        env=os.environ | server.environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    with get_client(sync_client=True) as client:
        planned = eventually(lambda: of_deployment(client, identity))
        client.delete_deployment(identity)

    assert (0, True) == (listed.returncode, "every-minute" in listed.stdout), listed.stderr
    assert {"SCHEDULED"} == {run.state_type.value for run in planned}


def of_deployment(client, identity):
    runs = client.read_flow_runs(limit=200)
    return [run for run in runs if run.deployment_id == identity]


def eventually(look, seconds=60):
    """Look until there is something to see."""
    end = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < end:
        time.sleep(0.2)
    return seen
