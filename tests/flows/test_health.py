"""`health` as a monitor, a timer and the Prefect server run it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from deployments.served import watch
from tests.flows.desk import Desk, at_server
from tests.mail.servers import MailServer, running

ROOT = Path(__file__).parents[2]
TOLD = {
    "BILLCLOSE_ALERTS__TO": "admin@larkspur.example",
    "BILLCLOSE_HEALTH__DISK_FREE_GB": "0",
    "BILLCLOSE_HEALTH__COLLECT_HOURS": "0",  # what was due on the day of the close
}
MISSED = "2026-11-03T12:00"  # nobody reminded in the night after the close
SLOW = {"prefect", "pandas", "great_expectations", "aiosmtplib", "httpx", "fastapi"}
LOADED = """
import sys
from command_line.main import run
status = run(sys.argv[1:])
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture
def office(closed, tmp_path) -> Desk:
    """A closed October."""
    desk = closed.copied(tmp_path / "office")
    return Desk(desk.home, desk.settings | TOLD)


def names(answer) -> list[str]:
    return [one["name"] for one in answer.json["conditions"] if one["state"] == "trouble"]


def subjects(desk: Desk) -> list[str]:
    mails = [
        message_from_bytes(file.read_bytes(), policy=default)
        for file in (desk.home / "mail").rglob("alert*.eml")
    ]
    return sorted(mail["Subject"] for mail in mails)


def test_a_look_answers_a_monitor_and_leaves_nothing_behind(office):
    before = office.files()

    well = office("health", "--json", "--as-of", "2026-11-02T12:00")
    missed = office("health", "--json", "--as-of", MISSED)
    people = office("health", "--as-of", MISSED)

    assert (0, "well", []) == (well.status, well.json["status"], names(well)), well.out
    assert (4, "trouble", ["work-missed/remind"]) == (
        missed.status,
        missed.json["status"],
        names(missed),
    )
    states = {one["name"]: one["state"] for one in well.json["conditions"]}
    assert "well" == states["run-late"]  # the real server understood the question
    assert "TROUBLE  work-missed/remind" in people.out
    assert re.search(r"At a terminal: \S*billclose .* remind\n", people.out)
    assert before == office.files()


def test_a_timer_tells_once_when_it_begins_and_once_when_it_is_over(office):
    first = office("health", "--tell", "--json", "--as-of", MISSED)
    again = office("health", "--tell", "--json", "--as-of", "2026-11-03T12:05")
    done = office("remind", "--json", "--as-of", "2026-11-03T12:30")
    after = office("health", "--tell", "--json", "--as-of", "2026-11-03T12:35")
    quiet = office("health", "--tell", "--json", "--as-of", "2026-11-03T12:40")

    assert (4, ["work-missed/remind"], 1) == (
        first.status,
        first.json["began"],
        first.json["mails"],
    ), first.err
    assert (4, [], 0) == (again.status, again.json["began"], again.json["mails"])
    assert 0 == done.status, done.err
    assert (0, ["work-missed/remind"], 1) == (
        after.status,
        after.json["ended"],
        after.json["mails"],
    )
    assert (0, 0) == (quiet.status, quiet.json["mails"])
    assert [
        "Attention: A nightly command has not run: the sending of reminders",
        "Attention: over: A nightly command has not run: the sending of reminders",
    ] == subjects(office)
    acts = [row["action"] for row in office.rows("audit")]
    assert (1, 1) == (acts.count("health began"), acts.count("health ended"))


def test_a_mail_server_that_was_down_is_told_of_when_it_is_back(office):
    with running(MailServer()) as mail:
        down = f"smtp://127.0.0.1:{mail.port}"
    grace = {"BILLCLOSE_HEALTH__GRACE_MINUTES": "0"}
    first = office(
        "health",
        "--tell",
        "--json",
        "--as-of",
        "2026-11-02T12:00",
        BILLCLOSE_SMTP__URL=down,
        **grace,
    )
    with running(MailServer()) as mail:
        up = f"smtp://127.0.0.1:{mail.port}"
        back = office(
            "health",
            "--tell",
            "--json",
            "--as-of",
            "2026-11-02T15:00",
            BILLCLOSE_SMTP__URL=up,
            **grace,
        )

    assert (["mail-server-down"], 1) == (first.json["began"], first.json["mails"]), first.err
    assert "0 sent" in first.json["sent"]
    assert ["mail-server-down"] == back.json["ended"]
    assert ["admin@larkspur.example"] * 2 == list(mail.recipients)


def test_a_look_loads_nothing_slow(office):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "--home", office.home, "health", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    loaded = set(done.stderr.splitlines()[-1].split())
    assert set() == loaded & SLOW
    assert {"status", "conditions"} == set(json.loads(done.stdout))


def test_a_database_that_is_not_there_is_a_trouble_and_no_crash(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")

    answer = desk(
        "health", "--json", BILLCLOSE_DATABASE__URL="postgresql+psycopg://x@127.0.0.1:1/x"
    )

    assert (4, ["database-down"]) == (answer.status, names(answer)), answer.err


def test_the_server_watches_and_keeps_that_it_did(office, monkeypatch):
    for name, value in TOLD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BILLCLOSE_HOME", str(office.home))
    with at_server(office.settings["PREFECT_API_URL"]):
        done = watch(return_state=True)

    assert done.is_completed()
    assert set(done.result()["began"]) <= set(done.message.replace(",", " ").split())
    assert "health-watch" in [command for command, _ in office.query("SELECT * FROM work_done")]
