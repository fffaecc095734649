"""`billclose up`: one command, one process group, behind a password, and it ends as a whole."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from office.prefect_access import authorization
from office.prefect_server import _free_port
from tests.flows.desk import Desk

pytestmark = pytest.mark.slow

START = "from command_line.main import main; main()"
OFFICES = {"deployments": {"tags": {"all_": ["office"]}}}


def eventually(look, seconds=120):
    end = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < end:
        time.sleep(0.2)
    return seen


def group(leader: int) -> dict[int, str]:
    """The command lines of a process group, by process."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(place.name)) == leader:
                found[int(place.name)] = (place / "cmdline").read_text().replace("\0", " ")
        except (OSError, ProcessLookupError):
            continue
    return found


def one_of(leader: int, word: str) -> int:
    return next((one for one, line in group(leader).items() if word in line), 0)


def ask(api_url: str, path: str, auth: str, query=None):
    try:
        return httpx.post(f"{api_url}/{path}", json=query or {}, headers=authorization(auth))
    except httpx.HTTPError:
        return None


def deployed(api_url: str, auth: str) -> set[str]:
    answer = ask(api_url, "deployments/filter", auth, OFFICES)
    return {one["name"] for one in answer.json()} if answer is not None else set()


@pytest.mark.skipif(sys.platform != "linux", reason="process groups are looked up in /proc")
def test_the_office_is_up_until_it_is_told_to_end(prepared, tmp_path):
    desk = Desk(prepared.copied(tmp_path / "office").home)
    port = _free_port()
    with (tmp_path / "said").open("w") as said:
        up = subprocess.Popen(
            [sys.executable, "-c", START, "--home", desk.home, "up", "--port", str(port)],
            stdout=said,
            stderr=said,
            cwd=tmp_path,
            start_new_session=True,
        )
    try:
        api_url, auth = f"http://127.0.0.1:{port}/api", (desk.home / "prefect.secret").read_text()
        eventually(lambda: ask(api_url, "automations/count", auth.strip()) is not None)
        eventually(lambda: ask(api_url, "automations/count", auth.strip()).json() == 5)
        automated = ask(api_url, "automations/count", auth.strip()).json()
        served = deployed(api_url, auth.strip())
        stranger = ask(api_url, "deployments/filter", "office:guessed")

        first = one_of(up.pid, "serve_office")
        os.kill(first, signal.SIGKILL)
        second = eventually(lambda: one_of(up.pid, "serve_office") not in (0, first))
        members = set(group(up.pid))

        up.send_signal(signal.SIGTERM)
        status = up.wait(timeout=30)
    finally:
        if up.poll() is None:
            os.killpg(up.pid, signal.SIGKILL)
            up.wait()
    words = (tmp_path / "said").read_text()

    assert {"close-period", "remind", "health-watch"} <= served
    assert (5, 401) == (automated, stranger.status_code)
    assert second, words
    assert "was killed by signal 9; it is started again" in words
    assert (0, True, {}) == (status, up.pid in members, group(up.pid)), words
    assert not re.search(re.escape(auth.strip().partition(":")[2]), words)
    assert not (desk.home / "prefect" / "server.url").exists()


def test_a_port_that_is_taken_is_said_so(prepared, tmp_path):
    desk = Desk(prepared.copied(tmp_path / "office").home)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = desk("up", "--port", taken.getsockname()[1])

    assert (2, 1) == (answer.status, len(answer.sentences))
    assert "is taken on this machine" in answer.sentences[0]
