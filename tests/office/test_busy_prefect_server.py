"""A Prefect server whose database is busy, asked by an office without Prefect's client."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from command_line.options import wall_clock
from office.clock import Clock
from office.equipment.office import Office
from office.prefect_server import runs
from office.settings.settings import Settings

BUSY = b'{"exception_message": "Service Unavailable"}'
ACCEPTED = json.dumps({"status": "ACCEPT"}).encode()


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path, Settings(), Clock(wall_clock, None), "anna")


@pytest.fixture
def busy_server(monkeypatch):
    """A server that answers 503 as often as `answers` says, then takes what it is told."""
    answers: list[int] = []

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            status = answers.pop(0) if answers else 200
            body = ACCEPTED if status == 200 else BUSY
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}")
        yield answers
        server.shutdown()


@pytest.fixture
def rests(monkeypatch):
    """Each rest before a server is asked again, in seconds; nobody sleeps here."""
    taken: list[float] = []
    monkeypatch.setattr(runs.time, "sleep", taken.append)
    return taken


@pytest.mark.parametrize("times", range(len(runs.RESTS) + 1))
def test_a_server_that_is_busy_is_asked_again_after_ever_longer_rests(
    office, busy_server, rests, times
):
    busy_server.extend([503] * times)

    assert runs.wake(office, "a-run")
    assert list(runs.RESTS[:times]) == rests == sorted(rests)


@pytest.mark.parametrize(
    "answers", [[503] * (len(runs.RESTS) + 1), [500], [404]], ids=["busy all along", "500", "404"]
)
def test_a_server_that_stays_busy_or_refuses_wakes_nobody(office, busy_server, rests, answers):
    busy_server.extend(answers)

    assert not runs.wake(office, "a-run")
    assert [] == busy_server
    assert len(answers) - 1 == len(rests)
