"""The flows as a Prefect server starts them: deployments, schedules, the office of the home."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prefect import tags
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import FlowRunFilter
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import PrefectHTTPStatusError

from command_line.options import wall_clock
from database.runs import newest_timezone
from deployments.automations import ensure_automations
from deployments.serve import deployments
from deployments.served import check, close, feed, office_here, schedule
from deployments.upkeep import Upkeep, drop_late_runs, planned_runs
from domain.failures import Misuse, Refused
from office.equipment.office import Office
from office.prefect_server.owner import is_own, owner_tag
from office.prefect_server.runs import TAG, require_own_deployments
from office.rounds.starting import StartsInServer
from office.settings.settings import Settings, open_settings
from tests.billing_system.feed.builders import write_feed
from tests.flows.desk import at_server
from tests.flows.town import MISPRINTED, write_town

DENVER = "America/Denver"
BY_THEMSELVES = ("remind", "collect-autopay", "send-notices", "office-day")
TRIGGERS = (
    "close-failed",
    "close-waits",
    "nightly-failed",
    "nightly-late",
    "postings-stuck",
    "run-lost",
    "run-not-begun",
)
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


def test_the_feed_is_taken_in_by_its_flow_and_a_broken_file_fails_the_run(at_work, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_FEED__FOLDER", "inbox")
    inbox = at_work.home / "inbox"
    write_feed(inbox / "night-1", ("M1", "01.1001.1", "2025-11-10", "payment", "-10.00", ""))

    done = feed(return_state=True)
    (inbox / "night-2.zip").write_text("no archive")
    failed = feed(return_state=True)

    assert done.is_completed() and "1 new movement, -$10.00" in done.message, done.message
    assert failed.is_failed() and "night-2.zip" in failed.message, failed.message
    assert ["feed/M1"] == [row["id"] for row in at_work.rows("movements") if row["id"] == "feed/M1"]
    assert not (inbox / "night-1").exists()


@pytest.fixture(scope="module")
def deployed(server):
    """What `billclose up` puts into its server, there until these tests are over."""
    with at_server(server.running.api_url), get_client(sync_client=True) as client:
        made = {one.name: one.apply() for one in deployments(Settings(), DENVER, [PERIOD])}
        yield made
        for automation in client.read_automations():
            client.delete_automation(automation.id)
        for identity in made.values():
            client.delete_deployment(identity)


@pytest.mark.slow
def test_the_calendar_makes_runs_and_deployments_are_listed(deployed, at_work, server):
    """Both broke with releases of the server's web framework that were otherwise fine."""
    listed = subprocess.run(
        [Path(sys.executable).with_name("prefect"), "--no-prompt", "deployment", "ls"],
        env=os.environ | server.environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    with get_client(sync_client=True) as client:
        by_name = {name: deployed[name] for name in BY_THEMSELVES}
        planned = {
            name: eventually(lambda identity=identity: of_deployment(client, identity))
            for name, identity in by_name.items()
        }

    assert (0, True) == (listed.returncode, "collect-autopay" in listed.stdout), listed.stderr
    states = {name: {run.state_type.value for run in runs} for name, runs in planned.items()}
    assert {name: {"SCHEDULED"} for name in BY_THEMSELVES} == states
    first = min(run.expected_start_time for run in planned["remind"])
    assert "06:00" == f"{first.astimezone(ZoneInfo(DENVER)):%H:%M}"


def test_the_server_refuses_what_the_form_does_not_offer(deployed, at_work):
    with get_client(sync_client=True) as client, pytest.raises(PrefectHTTPStatusError) as refused:
        client.create_flow_run_from_deployment(
            deployed["close-period"], parameters={"period": "2026-13"}
        )

    assert 409 == refused.value.response.status_code
    assert "2026-13" in refused.value.response.text


def test_the_triggers_of_alerts_are_made_once(deployed, at_work):
    with get_client(sync_client=True) as client:
        made = ensure_automations(client)
        again = ensure_automations(client)
        late = client.read_automations_by_name("nightly-late")[0]
        client.pause_automation(late.id)
        client.update_automation(late.id, changed_and_off(client))
        mended = ensure_automations(client)
        after = client.read_automations_by_name("nightly-late")

    assert sorted(TRIGGERS) == sorted(made)
    assert () == again
    assert (("nightly-late",), 1, False) == (mended, len(after), after[0].enabled)
    assert {deployed["health-watch"]} == {one.deployment_id for one in after[0].actions}


def changed_and_off(client):
    """What somebody made of it in the UI."""
    (there,) = client.read_automations_by_name("nightly-late")
    kept = there.model_dump(include=set(AutomationCore.model_fields), exclude={"owner_resource"})
    changed = kept | {"description": "mine", "enabled": False}
    return AutomationCore.model_validate(changed)


def test_a_night_that_was_slept_through_is_made_up_for_once(deployed, at_work):
    later = wall_clock() + timedelta(days=2)
    upkeep = Upkeep(office_here(), DENVER, [PERIOD])
    upkeep.note_what_was_there(later)
    upkeep.set_up()
    upkeep.note_what_was_there(later)
    upkeep.set_up()

    with get_client(sync_client=True) as client:
        runs = {
            name: [
                run
                for run in of_deployment(client, identity)
                if (run.idempotency_key or "").startswith("missed ")
            ]
            for name, identity in deployed.items()
        }
    assert dict.fromkeys(BY_THEMSELVES, 1) == {
        name: len(found) for name, found in runs.items() if found
    }


def test_planned_runs_are_named_by_their_day_and_dropped_when_it_is_past(deployed, at_work):
    upkeep = Upkeep(office_here(), DENVER, [PERIOD])
    with get_client(sync_client=True) as client:
        planned = eventually(lambda: planned_runs(client, "remind"))
        upkeep.name_planned_runs()
        first = min(planned, key=lambda run: run.expected_start_time)
        named = client.read_flow_run(first.id).name
        drop_late_runs(client, Settings(), first.expected_start_time + timedelta(minutes=1))
        left = {run.id for run in planned_runs(client, "remind")}

    local = first.expected_start_time.astimezone(ZoneInfo(DENVER))
    assert f"remind {local:%Y-%m-%d}" == named
    assert first.id not in left


def test_the_daily_runs_follow_the_time_zone_of_the_newest_export(deployed, at_work):
    upkeep = Upkeep(office_here(), "America/New_York", [PERIOD])

    upkeep.follow_the_time_zone()

    with get_client(sync_client=True) as client:
        zones = {
            schedule.schedule.timezone
            for name in BY_THEMSELVES
            for schedule in client.read_deployment(deployed[name]).schedules
        }
    assert {newest_timezone(office_here().database)} == zones


def test_what_has_work_is_started_once_while_it_is_open(deployed, at_work):
    starter = StartsInServer(office_here())
    now = wall_clock()

    started = [starter.start("send-mail", "send mail", f"key {turn}", now) for turn in range(2)]

    with get_client(sync_client=True) as client:
        runs = [run for run in of_deployment(client, deployed["send-mail"]) if TAG in run.tags]
        for run in runs:
            client.delete_flow_run(run.id)
    assert [True, False] == started
    assert ["send mail"] == [run.name for run in runs]


@pytest.mark.parametrize("pool", ["", "office"])
def test_a_server_with_another_offices_deployments_is_refused_by_name(deployed, at_work, pool):
    office = office_here()
    with get_client(sync_client=True) as client:
        close = client.read_deployment(deployed["close-period"])
        tags = [tag for tag in close.tags if not tag.startswith("office:")]
        client.update_deployment(close.id, DeploymentUpdate(tags=[*tags, "office:another"]))
        with pytest.raises(Misuse, match="another home's `up`; one Prefect server serves one"):
            require_own_deployments(office, pool)
        client.update_deployment(close.id, DeploymentUpdate(tags=[*tags, owner_tag(office)]))

    require_own_deployments(office, pool)


def test_a_run_of_another_office_does_nothing_in_this_home(at_work):
    with tags("office:another"), pytest.raises(Misuse, match="another office's deployment"):
        check(PERIOD)
    with tags(owner_tag(office_here())), pytest.raises(Misuse) as reached:
        check(PERIOD)

    assert "another office's" not in str(reached.value)


def test_a_home_that_was_copied_for_training_is_another_office(at_work, desk, tmp_path):
    ours = owner_tag(office_here())
    copy = desk.copied(tmp_path / "training")
    theirs = owner_tag(Office(copy.home, open_settings(copy.home), office_here().clock, "ann"))

    assert ours == owner_tag(office_here()) != theirs
    assert is_own(office_here(), ["office", ours])
    assert not is_own(office_here(), ["office", theirs])


def test_a_deployment_that_is_new_has_missed_nothing(deployed, at_work):
    upkeep = Upkeep(office_here(), DENVER, [PERIOD])

    upkeep.note_what_was_there(wall_clock() - timedelta(days=2))

    assert [] == upkeep._missed


def test_a_period_that_was_imported_meanwhile_is_offered(deployed, at_work, october):
    upkeep = Upkeep(office_here(), DENVER, [])
    at_work("import", october)

    upkeep.offer_periods()

    with get_client(sync_client=True) as client:
        form = client.read_deployment(deployed["check-period"]).parameter_openapi_schema
    assert [PERIOD, "2025-11", "2025-12", "2026-01"] == form["properties"]["period"]["enum"]


def of_deployment(client, identity):
    wanted = FlowRunFilter.model_validate({"deployment_id": {"any_": [identity]}})
    return client.read_flow_runs(flow_run_filter=wanted, limit=200)


def eventually(look, seconds=60):
    """Look until there is something to see."""
    end = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < end:
        time.sleep(0.2)
    return seen
