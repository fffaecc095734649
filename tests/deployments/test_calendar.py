"""The calendar: every flow, when it runs by itself, and what a second run beside a first does."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from command_line.options import wall_clock
from deployments.calendar import Daily, calendar
from deployments.forms import choices, months_after, readable, with_choices
from deployments.prefect_yaml import FILE, main, page, read_job_variables
from deployments.serve import BY_NAME, deployments
from deployments.served import FLOWS
from domain.failures import Misuse
from domain.runs import RunState
from office.clock import Clock
from office.equipment.office import Office
from office.rounds.looks import looks_of
from office.rounds.starting import COMMANDS
from office.settings.close import PrefectSettings
from office.settings.mail import BouncesSettings
from office.settings.money import FeedSettings, RemindersSettings
from office.settings.settings import Settings
from tests.builders import stage_run

DENVER = "America/Denver"
MONEY = {"collect-autopay", "retry-postings"}


def scheduled(settings: Settings) -> dict[str, str]:
    return {one.name: one.schedule.cron for one in calendar(settings) if one.schedule}


def test_every_flow_stands_in_the_calendar_once():
    assert sorted(found.name for found in FLOWS) == sorted(one.name for one in calendar(Settings()))
    assert all(BY_NAME[one.name].fn.__name__ == one.function for one in calendar(Settings()))


def test_what_runs_by_itself_and_when():
    expected = {
        "remind": "0 6 * * *",
        "collect-autopay": "0 8 * * *",
        "send-notices": "0 9 * * *",
        "office-day": "55 23 * * *",
    }

    assert expected == scheduled(Settings())


def test_settings_move_the_reminders():
    settings = Settings(reminders=RemindersSettings(time="05:45"))

    assert "45 5 * * *" == scheduled(settings)["remind"]


def test_what_is_looked_at_by_the_minute_is_deployed_and_can_be_done_by_a_command(tmp_path):
    settings = Settings(
        bounces=BouncesSettings(source="maildir:/b"), feed=FeedSettings(folder="inbox")
    )
    office = Office(tmp_path, settings, Clock(wall_clock), "anna")
    looks = {look.deployment for look in looks_of(office)}

    by_rounds = {one.name for one in calendar(settings) if "by-the-rounds" in one.tags}

    assert looks == by_rounds == set(COMMANDS)
    assert {None} == {one.schedule for one in calendar(settings) if one.name in looks}


def test_nothing_runs_by_itself_where_the_office_wants_it_so():
    made = deployments(Settings(prefect=PrefectSettings(schedules=False)), DENVER, [])

    assert [[]] * len(made) == [one.schedules for one in made]


def test_schedules_are_in_the_utilitys_time_zone():
    made = deployments(Settings(), DENVER, [])

    zones = {one.schedules[0].schedule.timezone for one in made if one.schedules}
    assert {DENVER} == zones


def test_a_second_nightly_run_is_dropped_and_a_second_close_waits():
    made = deployments(Settings(), DENVER, [])

    strategies = {one.name: one.concurrency_options.collision_strategy.value for one in made}
    assert {1} == {one.concurrency_limit for one in made}
    assert "ENQUEUE" == strategies["close-period"]
    assert {"CANCEL_NEW"} == {strategies[name] for name in scheduled(Settings())}


def test_no_flow_is_tried_again_as_a_whole():
    assert {0} == {flow.retries for flow in FLOWS}


def test_flows_that_move_money_are_marked():
    assert {one.name for one in calendar(Settings()) if "money" in one.tags} == MONEY


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param("2026-11-02 05:59", "2026-11-01 06:00", id="before it: yesterday's"),
        pytest.param("2026-11-02 06:00", "2026-11-02 06:00", id="at it"),
        pytest.param("2026-03-08 12:00", "2026-03-08 06:00", id="on the day clocks go forward"),
    ],
)
def test_the_last_time_that_a_daily_run_was_due(now, expected):
    local = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(DENVER))

    due = Daily(time(6)).last_before(local.astimezone(UTC), DENVER)

    assert expected == f"{due.astimezone(ZoneInfo(DENVER)):%Y-%m-%d %H:%M}"


def test_prefect_yaml_is_what_the_calendar_says():
    expected = page(Settings())

    assert expected == FILE.read_text(), "run: python -m deployments.prefect_yaml > prefect.yaml"
    written = yaml.safe_load(expected)["deployments"]
    assert {one["entrypoint"] for one in written} == {
        f"deployments.served.{flow.fn.__name__}" for flow in FLOWS
    }


def test_prefect_yaml_is_written_for_a_home_of_its_own(tmp_path):
    (tmp_path / "billclose.toml").write_text('[reminders]\ntime = "07:15"\n')

    done = subprocess.run(
        [sys.executable, "-m", "deployments.prefect_yaml", tmp_path],
        cwd=Path(FILE).parent,
        capture_output=True,
        text=True,
    )

    assert 0 == done.returncode, done.stderr
    assert "cron: 15 7 * * *" in done.stdout


def test_the_runs_of_a_docker_pool_are_told_what_their_image_is(tmp_path):
    variables = tmp_path / "docker.yaml"
    variables.write_text("image: billclose:1.0.0\nenv: {BILLCLOSE_HOME: /office}\n")

    written = yaml.safe_load(main(["--pool", "city", "--job-variables", str(variables)]))

    pools = [one["work_pool"] for one in written["deployments"]]
    told = {"image": "billclose:1.0.0", "env": {"BILLCLOSE_HOME": "/office"}}
    assert [{"name": "city", "job_variables": told}] * len(pools) == pools


@pytest.mark.parametrize("text", ["image: [", "just words", None])
def test_job_variables_that_are_none_are_refused_by_name(tmp_path, text):
    file = tmp_path / "docker.yaml"
    if text is not None:
        file.write_text(text)

    with pytest.raises(Misuse, match=r"docker\.yaml"):
        read_job_variables(file)


def test_the_form_of_a_close_offers_periods_and_says_what_each_field_is():
    periods = ["2026-11", "2026-10"]
    made = {one.name: one for one in deployments(Settings(), DENVER, periods)}

    fields = made["close-period"]._parameter_openapi_schema.properties
    assert periods == fields["period"]["enum"]
    assert ["", *periods] == (
        made["print-bills"]._parameter_openapi_schema.properties["period"]["enum"]
    )
    assert "Despite stuck postings" == fields["despite_stuck_postings"]["title"]
    assert "boolean" == fields["approve"]["type"]


def test_every_field_of_every_form_has_a_help_text():
    made = deployments(Settings(), DENVER, [])

    silent = [
        (one.name, field)
        for one in made
        for field, shape in one._parameter_openapi_schema.properties.items()
        if len(shape["description"]) < 5
    ]
    assert [] == silent


def test_periods_to_choose_from_are_the_open_ones_the_next_ones_the_closed_ones(database):
    stage_run(database, period="2026-09", ends_on=date(2026, 9, 30), state=RunState.FINISHED)
    stage_run(database, period="2026-10")

    assert ["2026-10", "2026-11", "2026-12", "2027-01", "2026-09"] == choices(database)


def test_without_a_period_in_the_books_it_is_typed(database):
    assert [] == choices(database)
    assert {"period": {"pattern": "x"}} == with_choices({"period": {"pattern": "x"}}, [])


def test_months_go_on_into_the_next_year():
    assert ["2026-12", "2027-01", "2027-02"] == months_after("2026-11")


def test_headings_are_words_and_help_texts_one_line():
    fields = readable({"at_once": {"description": "Yes,\nnow."}})

    assert {"at_once": {"description": "Yes, now.", "title": "At once"}} == fields
