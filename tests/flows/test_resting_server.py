"""The tests' Prefect server stands still for tests that do not need it, and goes on for others."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.flows.resting_server import RestingServer

NEEDS, NEEDS_NOT = (
    SimpleNamespace(fixturenames=names) for names in (("desk", "server"), ("desk",))
)


def state_of(process) -> str:
    """T: it stands still, S: it waits."""
    os_says = Path(f"/proc/{process.pid}/stat").read_text()
    return os_says.rpartition(")")[2].split()[0]


@pytest.fixture
def process():
    with subprocess.Popen(["sleep", "600"]) as running:
        yield running
        running.kill()


@pytest.mark.parametrize(("following", "state"), [(NEEDS_NOT, "T"), (NEEDS, "S"), (None, "S")])
def test_it_stands_still_until_a_test_needs_it(process, following, state):
    resting = RestingServer(SimpleNamespace(process=process))

    resting.pytest_runtest_teardown(following)
    wait_for(process, state)
    resting.pytest_runtest_setup(NEEDS_NOT)
    wait_for(process, state)
    resting.pytest_runtest_setup(NEEDS)
    wait_for(process, "S")


def wait_for(process, state) -> None:
    while state_of(process) != state:
        assert process.poll() is None
