"""`billclose up`: one command, one process group, behind a password, and it ends as a whole."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

import httpx
import pytest

from office.secrets.prefect_access import authorization
from tests.flows.desk import Desk
from tests.flows.office_up import office_up

pytestmark = pytest.mark.slow

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
    with office_up(desk, tmp_path) as started:
        up, api_url, auth = started.process, f"{started.url}/api", started.words
        eventually(lambda: ask(api_url, "automations/count", auth) is not None)
        eventually(lambda: ask(api_url, "automations/count", auth).json() == 7)
        automated = ask(api_url, "automations/count", auth).json()
        served = deployed(api_url, auth)
        stranger = ask(api_url, "deployments/filter", "office:guessed")

        second_up = desk("up", "--port", "0")
        first = one_of(up.pid, "serve_office")
        os.kill(first, signal.SIGKILL)
        second = eventually(lambda: one_of(up.pid, "serve_office") not in (0, first))
        members = set(group(up.pid))

        up.send_signal(signal.SIGTERM)
        status = up.wait(timeout=30)
    words = started.said.read_text()

    assert {"close-period", "remind", "health-watch"} <= served
    assert (7, 401) == (automated, stranger.status_code)
    assert (2, True) == (second_up.status, "is up already" in second_up.err)
    assert "flows are served" in (desk.home / "logs" / "office.log").read_text()
    assert second, words
    assert "was killed by signal 9; it is started again" in words
    assert (0, True, {}) == (status, up.pid in members, group(up.pid)), words
    assert not re.search(re.escape(auth.partition(":")[2]), words)
    assert not (desk.home / "prefect" / "server.url").exists()


def test_a_port_that_is_taken_is_said_so(prepared, tmp_path):
    desk = Desk(prepared.copied(tmp_path / "office").home)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = desk("up", "--port", taken.getsockname()[1])

    assert (2, 1) == (answer.status, len(answer.sentences))
    assert "is taken on this machine" in answer.sentences[0]
