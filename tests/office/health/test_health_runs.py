"""The watch over what was started: closes that wait, and flows whose last run failed."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from database.tables import approval_request
from domain.runs import RunState
from office.health.conditions import State
from office.health.health import look
from office.health.prefect import failed_runs, waiting_closes
from tests.builders import NOW, RUN, stage_run
from tests.office.health_builders import an_office_at, looking, troubles

ROOT = Path(__file__).parents[3]
RUNBOOK = ROOT / "docs" / "runbook"
DAYS_LATER = "2026-11-06T09:00"


def ask_at(database, asked_at) -> None:
    with database.writing() as books:
        books.execute(
            approval_request.insert().values(
                period=RUN, number=1, digest="d", figures="{}", asked_at=asked_at, asked_by="anna"
            )
        )


@pytest.mark.parametrize(
    ("state", "days", "expected"),
    [
        pytest.param(RunState.WAITING, 3, ["close-waits/2026-10"], id="for three days"),
        pytest.param(RunState.WAITING, 1, [], id="since yesterday"),
        pytest.param(RunState.FINISHED, 3, [], id="and it was approved"),
    ],
)
def test_a_close_waits_for_a_yes(tmp_path, database, state, days, expected):
    stage_run(database, state=state)
    looked = looking(tmp_path, database, DAYS_LATER)
    ask_at(database, looked.now - timedelta(days=days))

    assert expected == troubles(waiting_closes(looked))


@pytest.fixture
def prefect(monkeypatch):
    """A server that knows the last run of each of two deployments."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "deployments" in self.path:
                found = [{"id": name, "name": name} for name in last]
            else:
                (name,) = query["flow_runs"]["deployment_id"]["any_"]
                found = [
                    {
                        "state_type": last[name],
                        "state_name": last[name].title(),
                        "end_time": NOW.isoformat().replace("+00:00", "Z"),
                    }
                ]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_words):
            """Say nothing."""

    last = {"remind": "COMPLETED", "close-period": "COMPLETED"}
    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}/api")
    yield last
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("ended", ["FAILED", "CRASHED"])
def test_a_flow_whose_last_run_failed_is_named_until_one_ends_well(
    tmp_path, database, prefect, ended
):
    looked = looking(tmp_path, database, DAYS_LATER)
    prefect["close-period"] = ended
    failed = failed_runs(looked, 4)
    prefect["close-period"] = "COMPLETED"
    well = failed_runs(looked, 4)

    assert (["run-failed/close-period"], []) == (troubles(failed), troubles(well))
    assert [NOW] == [one.since for one in failed]
    assert f"ended as {ended.lower()}" in failed[0].detail


def test_of_a_server_that_is_silent_nothing_is_known(tmp_path, database, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")

    (found,) = failed_runs(looking(tmp_path, database, DAYS_LATER), 4)

    assert State.UNKNOWN is found.state


def test_every_alert_has_a_page_in_the_runbook(tmp_path, database):
    kinds = {one.kind for one in look(an_office_at(tmp_path, database, DAYS_LATER)).conditions}
    kinds |= {"database-down", "prefect-down"}

    pages = {page.stem for page in RUNBOOK.glob("*.md")}
    assert set() == kinds - pages
    assert kinds | {"README"} == pages


def test_every_trigger_names_a_page_of_the_runbook():
    written = yaml.safe_load((ROOT / "deployments" / "automations.yaml").read_text())
    named = [one["description"].rpartition(" ")[2] for one in written["automations"]]

    assert [] == [page for page in named if not (ROOT / page).is_file()]
