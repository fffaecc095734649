"""Runs whose process is gone: their place is free again, and the office is told of its troubles."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.schedules import CronSchedule
from prefect.states import Completed, Pending, Running

from database.owners import this_process
from deployments.automations import planned
from deployments.served import office_here, tell_day
from office.prefect_server.owner import owner_tag
from office.prefect_server.runs import PROCESS_LABEL, KnownServer
from office.rounds.days import HALF_A_DAY
from office.rounds.looks import looks_of
from office.rounds.rounds import Rounds
from office.rounds.telling import BEGAN, tell_server
from office.rounds.zone import ZoneFollower
from tests.builders import a_household, stage_run
from tests.flows.desk import at_server

SOON = timedelta(seconds=10)  # less is refused
PATIENCE = 120
LONG_AGO = timedelta(minutes=20)  # a close of a large city
GONE = f"{this_process().rpartition('|')[0].rpartition('.')[0]}.1|"  # its number was given anew


@flow(name="left behind")
def left_behind():
    """A flow that is never carried out."""


@pytest.fixture
def at_work(desk, server, monkeypatch):
    """An office that the environment names, beside the server."""
    monkeypatch.setenv("BILLCLOSE_HOME", str(desk.home))
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    with at_server(server.running.api_url), get_client(sync_client=True) as client:
        yield client


def now():
    return datetime.fromtimestamp(time.time(), UTC)


def a_run(client, state, *tags, **labels):
    run = client.create_flow_run(left_behind, tags=tags)
    client.set_flow_run_state(run.id, state, force=True)
    if labels:
        client.update_flow_run_labels(run.id, {PROCESS_LABEL: labels["process"]})
    return run.id


def states(client, runs):
    return [client.read_flow_run(run).state_name for run in runs]


def test_a_run_whose_process_here_is_gone_is_buried_and_no_other(at_work):
    office = office_here()
    ours = owner_tag(office)
    runs = [
        a_run(at_work, Running(), ours, process=GONE),
        a_run(at_work, Running(timestamp=now() - LONG_AGO), ours, process=this_process()),
        a_run(at_work, Running(), ours, process="another-host:1|7|boot.9|"),
        a_run(at_work, Running(), ours),
        a_run(at_work, Running(), "office:another", process=GONE),
        a_run(at_work, Completed(), ours, process=GONE),
    ]

    with KnownServer(office) as server:
        buried = [server.bury(ours), server.bury(ours)]

    assert [1, 0] == [len(names) for names in buried]
    assert ["Crashed", *["Running"] * 4, "Completed"] == states(at_work, runs)


@pytest.mark.slow
@pytest.mark.release  # it waits for Prefect; test_machinery.py looks at the triggers each time
def test_the_server_marks_what_is_silent_and_what_never_began(at_work):
    """
    With the windows of three heartbeats made short; what ended stays as it ended.

    A run that goes on giving signs of life is never taken for lost, however long it works.
    """
    made = [
        at_work.create_automation(one.model_copy(update={"trigger": hastened(one.trigger)}))
        for one in planned(str(uuid4()))
        if one.name in ("run-lost", "run-not-begun")
    ]
    try:
        silent, ended, long = (a_run(at_work, Running()) for _ in range(3))
        pending = a_run(at_work, Pending())
        for run in (silent, ended, long):
            beat(at_work, run)
        at_work.set_flow_run_state(ended, Completed(), force=True)
        end = time.monotonic() + PATIENCE
        while states(at_work, (silent, pending)) != ["Crashed"] * 2 and time.monotonic() < end:
            time.sleep(0.3)
            beat(at_work, long, now())
        found = states(at_work, (silent, pending, ended, long))
    finally:
        for identity in made:
            at_work.delete_automation(identity)

    assert ["Crashed", "Crashed", "Completed", "Running"] == found


def hastened(trigger):
    return trigger.model_copy(update={"within": SOON})


def beat(client, run, at=None):
    """What a flow run tells by itself, every 30 seconds."""
    event = {
        "id": str(uuid4()),
        "occurred": (at or client.read_flow_run(run).start_time).isoformat(),
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run}"},
    }
    client._client.post("/events", json=[event]).raise_for_status()


def test_the_daily_runs_of_a_worker_follow_the_time_zone_of_the_newest_export(at_work):
    office = office_here()
    plan = CronSchedule(cron="0 6 * * *", timezone="America/New_York")
    made = [
        left_behind.to_deployment(name, tags=[tag], schedule=plan).apply()
        for name, tag in (("ours", owner_tag(office)), ("theirs", "office:another"))
    ]
    follower = ZoneFollower(office)
    before = follower.follow()
    stage_run(office.database, a_household())  # of Denver

    moved = [follower.follow(), follower.follow()]

    found = [at_work.read_deployment(one).schedules[0].schedule for one in made]
    for one in made:
        at_work.delete_deployment(one)
    assert (0, [1, 0]) == (before, moved)
    assert ["America/Denver", "America/New_York"] == [one.timezone for one in found]
    assert {"0 6 * * *"} == {one.cron for one in found}


def test_a_trouble_is_an_event_that_the_server_takes(at_work):
    office = office_here()
    condition = {"name": "disk-nearly-full/home", "detail": "1 GB is free.", "remedy": "Make room."}
    found = {"began": [condition["name"]], "ended": ["clock-off"], "conditions": [condition]}

    assert 2 == tell_server(office, found)
    assert 0 == tell_server(office, {"began": [], "ended": [], "conditions": [condition]})
    assert "billclose.trouble.began" == BEGAN


def test_a_day_at_rest_is_shown_by_one_run(at_work):
    office = office_here()
    looks = tuple(one for one in looks_of(office) if one.minutes == 1)
    Rounds(office, None, looks).go(office.due_now() - HALF_A_DAY)  # of the day told of at any hour

    told = tell_day(return_state=True)

    day = told.message.partition(":")[0]
    assert f"{day}: 2 looks, 0 runs started" == told.message
    (shown,) = at_work._client.post("/artifacts/filter", json=keyed(f"rounds-{day}")).json()
    assert '"look": "retry-postings", "looked": 1, "had work": 0' in shown["data"]


def keyed(key):
    return {"artifacts": {"key": {"any_": [key]}}}
