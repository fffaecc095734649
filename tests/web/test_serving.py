"""The web desk as `billclose web` serves it: a real server, and what it writes down."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.flows.fixtures import prepared

__all__ = ["prepared"]
ROOT = Path(__file__).parents[2]
RUN = "import sys; from command_line.main import run; sys.exit(run(sys.argv[1:]))"
READERS = 80  # more than a limit on requests once took, each idle
PATIENCE = 60  # seconds until it must answer


@pytest.mark.slow
def test_the_desk_answers_and_its_log_names_nobody(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    log = tmp_path / "log"

    with serving(desk.home, log) as url:
        health = httpx.get(f"{url}/health")
        wrong = httpx.get(f"{url}/exports/a-secret-token")
        large = httpx.post(f"{url}/unsubscribe/x", content=b"x" * 100_000)

    assert (200, "well") == (health.status_code, health.json()["status"])
    assert (404, "no-store") == (wrong.status_code, wrong.headers["cache-control"])
    assert 413 == large.status_code
    assert "server" not in health.headers
    written = log.read_text()
    assert "GET /exports 404" in written
    assert "a-secret-token" not in written
    assert not (desk.home / "usage-exports").exists()


def test_readers_who_stay_connected_shut_nobody_out(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    with serving(desk.home, tmp_path / "log") as url, contextlib.ExitStack() as readers:
        place = httpx.URL(url)
        for _ in range(READERS):
            reader = readers.enter_context(socket.create_connection((place.host, place.port), 30))
            reader.sendall(b"GET /nothing HTTP/1.1\r\nHost: office\r\n\r\n")
            assert reader.recv(64).startswith(b"HTTP/1.1 404")
        slow = readers.enter_context(socket.create_connection((place.host, place.port), 30))
        slow.sendall(b"GET /nothing HTTP/1.1\r\n")  # and no more

        one_more = httpx.get(f"{url}/nothing").status_code

    assert 404 == one_more


def test_a_home_that_is_none_is_said_at_once(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--home", tmp_path / "none", "web"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert 2 == done.returncode
    assert "There is no office in" in done.stderr


@contextlib.contextmanager
def serving(home: Path, log: Path):
    """The desk of a home, at an address of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-c", RUN, "--home", str(home), "web", "--port", str(port)]
    environment = os.environ | {"BILLCLOSE_HEALTH__DISK_FREE_GB": "0"}
    with log.open("wb") as out:
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + PATIENCE
        while not answers(url):
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/nothing").status_code == 404
    return False
