"""
Deploying for a worker: what it runs later needs nothing of where it was deployed from.

Left for a release, as Prefect's own command takes long: what is deployed is looked at each time in
`tests/deployments/test_calendar.py`, and that another office's is refused in `test_served.py`.
"""

from __future__ import annotations

from socket import socket

import pytest
from prefect.client.orchestration import get_client

from deployments.calendar import calendar
from deployments.deploying import deploy
from deployments.served import office_here
from office.prefect_server.owner import owner_tag
from office.settings.settings import Settings
from tests.flows.desk import at_server

pytestmark = [pytest.mark.slow, pytest.mark.release]


@pytest.fixture
def client(desk, server, monkeypatch):
    """An office beside the server, which has nothing of anybody's before and after."""
    told = server.environment | {"BILLCLOSE_TIMEZONE": "America/Denver"}
    for name, value in (told | {"BILLCLOSE_HOME": str(desk.home)}).items():
        monkeypatch.setenv(name, value)
    with at_server(server.running.api_url), get_client(sync_client=True) as client:
        yield client
        for one in client.read_deployments():
            client.delete_deployment(one.id)
        for automation in client.read_automations():
            client.delete_automation(automation.id)


def test_a_worker_finds_the_flows_and_a_second_office_takes_none_of_them_over(
    client, desk, tmp_path
):
    client._client.post("/work_pools/", json={"name": "office", "type": "process"})
    second = desk.copied(tmp_path / "second").home

    statuses = [deploy([str(home)]) for home in (desk.home, second)]

    made = client.read_deployments()
    assert [0, 2] == statuses
    assert len(calendar(Settings())) == len(made)
    assert {"office"} == {one.work_pool_name for one in made}
    assert {True} == {owner_tag(office_here()) in one.tags for one in made}
    assert [] == [step for one in made for step in one.pull_steps or ()]
    zones = {plan.schedule.timezone for one in made for plan in one.schedules}
    assert {"America/Denver"} == zones


def test_where_no_server_answers_a_sentence_says_what_to_start(desk, monkeypatch, capsys):
    with socket() as taken:  # nobody listens there
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{taken.getsockname()[1]}/api")

        status = deploy([str(desk.home)])

    said = capsys.readouterr().err
    assert (1, 1) == (status, said.count("\n"))
    assert said.startswith("billclose: The Prefect server does not answer")
    assert "Start it first; PREFECT_API_URL says where it is" in said
