"""The units and the compose file for a bigger office: checked as far as that is possible."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from deployments.automations import planned
from domain.failures import Misuse
from office.prefect_server.server import (
    FLOW_SETTINGS,
    HEARTBEAT_SECONDS,
    SERVER_SETTINGS,
    server_environment,
)
from office.settings.settings import open_settings

FOLDER = Path(__file__).parents[2] / "deployments"
UNITS = sorted((FOLDER / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if name != "postgres"}


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert "CI" not in os.environ, "systemd-analyze is not installed (Debian: systemd)"
        pytest.skip("systemd-analyze is not installed")
    bin_folder = str(Path(sys.executable).parent)
    for unit in (FOLDER / "systemd").glob("billclose*"):
        text = unit.read_text().replace("/srv/billclose/.venv/bin", bin_folder)
        (tmp_path / unit.name).write_text(text)
    units = sorted(tmp_path.iterdir())

    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True)

    complaints = [line for line in done.stderr.splitlines() if "billclose" in line]
    assert ([], 7) == (complaints, len(units))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_service_has_a_user_of_its_own_and_little_else(unit):
    text = unit.read_text()

    needed = [
        "User=billclose",
        "UMask=0077",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "PrivateTmp=yes",
    ]
    assert [] == [line for line in needed if line not in text.splitlines()]
    assert re.search(r"(?m)^ReadWritePaths=/", text)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_service_that_stays_is_started_again_however_often(unit):
    text = unit.read_text()

    assert "Type=oneshot" in text or re.search(r"(?m)^Restart=(always|on-failure)$", text)
    assert "Type=oneshot" in text or re.search(r"(?m)^StartLimitIntervalSec=0$", text)


def in_unit(name: str) -> dict[str, str]:
    lines = re.findall(r"(?m)^Environment=(.*)$", (FOLDER / "systemd" / name).read_text())
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


def in_service(name: str) -> dict[str, str]:
    return {key: str(value) for key, value in COMPOSE["services"][name]["environment"].items()}


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda: in_unit("billclose-prefect.service"), id="systemd"),
        pytest.param(lambda: in_service("prefect"), id="compose"),
        pytest.param(lambda: server_environment(Path("home"), 4200), id="billclose up"),
    ],
)
def test_every_prefect_server_of_ours_keeps_as_long_and_records_alike(written):
    assert SERVER_SETTINGS.items() <= written().items()


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda: in_unit("billclose-prefect.service"), id="systemd"),
        pytest.param(lambda: in_service("prefect"), id="compose"),
        pytest.param(lambda: server_environment(Path("home"), 4200), id="billclose up"),
    ],
)
def test_a_server_that_may_not_write_to_the_program_has_its_pages(written, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    settings = written()

    pages = Path(settings["PREFECT_UI_STATIC_DIRECTORY"])
    assert Path(settings["PREFECT_HOME"]) in pages.parents


def test_one_that_may_has_them_beside_the_program_for_all_homes(monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: True)

    assert "PREFECT_UI_STATIC_DIRECTORY" not in server_environment(Path("home"), 4200)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda: in_unit("billclose-worker.service"), id="systemd"),
        pytest.param(lambda: in_service("worker"), id="compose"),
    ],
)
def test_every_worker_gives_signs_of_life_and_looks_for_work_soon(written):
    assert FLOW_SETTINGS.items() <= written().items()


def test_the_rounds_see_the_events_that_the_server_could_not_write():
    in_compose = [in_service(name)["PREFECT_HOME"] for name in ("prefect", "rounds")]
    in_units = [
        in_unit(f"billclose-{name}.service")["PREFECT_HOME"] for name in ("prefect", "rounds")
    ]
    volumes = [COMPOSE["services"][name]["volumes"] for name in ("prefect", "rounds")]

    (home,) = {*in_compose, *in_units}
    assert f"prefect:{home}" in volumes[0] and f"prefect:{home}:ro" in volumes[1]
    assert re.search(rf"install .*-o billclose .*{home}\b", (FOLDER / "Dockerfile").read_text())


def test_a_run_is_lost_after_three_heartbeats_and_its_place_is_free_within_150_seconds():
    (lost,) = [one for one in planned(str(uuid4())) if one.name == "run-lost"]

    (action,) = lost.actions
    assert timedelta(seconds=3 * HEARTBEAT_SECONDS) == lost.trigger.within
    assert lost.trigger.within < timedelta(seconds=150)
    assert ("change-flow-run-state", "CRASHED") == (action.type, action.state)
    assert {"prefect.flow-run.Suspended", "prefect.flow-run.heartbeat"} <= lost.trigger.expect


def test_a_run_that_was_taken_up_and_never_began_frees_its_place_within_150_seconds():
    (lost,) = [one for one in planned(str(uuid4())) if one.name == "run-not-begun"]

    (action,) = lost.actions
    assert lost.trigger.within < timedelta(seconds=150)
    assert ("change-flow-run-state", "CRASHED") == (action.type, action.state)
    assert {"prefect.flow-run.Running", "prefect.flow-run.Cancelled"} <= lost.trigger.expect


def test_a_worker_that_is_stopped_marks_what_it_left_behind():
    unit = (FOLDER / "systemd" / "billclose-worker.service").read_text()

    assert re.search(r"(?m)^ExecStopPost=-\S+/billclose rounds --bury$", unit)


@pytest.mark.parametrize("days", ["1", "0", "soon"])
def test_a_retention_that_no_server_would_start_with_is_refused_before_one_does(
    tmp_path, monkeypatch, days
):
    monkeypatch.setenv("BILLCLOSE_PREFECT__KEEP_DAYS", days)

    with pytest.raises(Misuse, match="keep_days"):
        open_settings(tmp_path)


@pytest.mark.parametrize("name", OURS)
def test_a_container_has_no_rights_that_it_does_not_need(name):
    service = OURS[name]

    assert (True, ["ALL"], ["no-new-privileges:true"]) == (
        service["read_only"],
        service["cap_drop"],
        service["security_opt"],
    )
    assert service["user"].split(":")[0] != "0"


def test_what_stays_is_looked_after_and_the_logs_are_turned_over():
    services = COMPOSE["services"]
    staying = {name for name, one in services.items() if one["restart"] != "no"}

    assert {name for name, one in services.items() if "healthcheck" in one} == staying
    assert {"5"} == {one["logging"]["options"]["max-file"] for one in services.values()}


def test_only_this_machine_reaches_the_server():
    ports = [port for one in COMPOSE["services"].values() for port in one.get("ports", [])]

    assert ["127.0.0.1:4200:4200", "127.0.0.1:8480:8480"] == ports


def test_the_desk_believes_the_proxy_of_this_machine_and_no_other_container():
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]

    assert network["gateway"] == in_service("web")["BILLCLOSE_WEB__PROXIES"]
    assert ip_address(network["gateway"]) in ip_network(network["subnet"])


def test_volumes_and_secrets_that_are_used_are_there():
    services = COMPOSE["services"].values()
    named = {
        volume.partition(":")[0]
        for one in services
        for volume in one.get("volumes", [])
        if not volume.startswith(".")
    }

    assert named == set(COMPOSE["volumes"])
    assert {"postgres"} == {name for one in services for name in one.get("secrets", [])}


def test_compose_takes_the_file(tmp_path):
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("docker compose is not installed; the structure is tested above")
    folder = shutil.copytree(FOLDER, tmp_path / "deployments")
    (folder / "secrets").mkdir()
    for name in ("postgres", "environment"):
        (folder / "secrets" / name).touch()

    done = subprocess.run(
        [docker, "compose", "config", "--quiet"],
        cwd=folder,
        env=os.environ | {"BILLCLOSE_TIMEZONE": "America/Denver"},
        capture_output=True,
        text=True,
    )

    assert 0 == done.returncode, done.stderr
