"""Fixtures of whoever closes periods in tests: one Prefect server, one town, homes to copy."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from office.prefect_server.server import PrefectServer, prefect_server, server_environment
from tests.flows.desk import Answer, Desk
from tests.flows.resting_server import RestingServer
from tests.flows.town import write_town
from tests.release import WHOLE

# What a server does beside its requests, and no test waits for; triggers before a release alone.
_IDLE = (
    *("SERVICES_EVENT_PERSISTER", "EVENTS_STREAM_OUT", "SERVICES_PAUSE_EXPIRATIONS"),
    *("SERVICES_FOREMAN", "SERVICES_REPOSSESSOR", "SERVICES_CLEANUP_RECONCILER"),
    *(() if WHOLE else ("SERVICES_TRIGGERS",)),
)
_SERVER = pytest.StashKey["Server"]()
_CLOSED = pytest.StashKey[Desk]()
_ASKED = pytest.StashKey[tuple[Desk, Answer]]()


@dataclass(frozen=True)
class Server:
    """A running Prefect server and what the environment of its clients holds."""

    running: PrefectServer
    environment: dict[str, str]


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The one Prefect server of this test process, whichever folder asks first."""
    stash = request.config.stash
    if _SERVER not in stash:
        home = tmp_path_factory.mktemp("prefect")
        stack = ExitStack()
        request.config.add_cleanup(stack.close)
        with pytest.MonkeyPatch.context() as before:
            before.delenv("PREFECT_API_URL", raising=False)
            for name in _IDLE:
                before.setenv(f"PREFECT_SERVER_{name}_ENABLED", "false")
            running = stack.enter_context(prefect_server(home))
            names = server_environment(home, 0)
            environment = {name: os.environ.pop(name) for name in names}
        running.wait_until_ready()
        resting = RestingServer(running)
        stack.callback(resting.wake)
        request.config.pluginmanager.register(resting)
        stash[_SERVER] = Server(running, environment)
    return stash[_SERVER]


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_town(tmp_path_factory.mktemp("town") / "larkspur")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A home with empty books, to be copied; its desk knows no Prefect server."""
    desk = Desk(tmp_path_factory.mktemp("prepared") / "office")
    assert desk("init").status == 0
    return desk


@pytest.fixture
def desk(prepared: Desk, server: Server, tmp_path: Path) -> Desk:
    """An office of one's own with empty books."""
    return Desk(prepared.copied(tmp_path / "office").home, server.environment)


@pytest.fixture(scope="session")
def asked(
    request: pytest.FixtureRequest,
    prepared: Desk,
    server: Server,
    town: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Desk, Answer]:
    """
    An office that was asked to close the town's October without a yes, and what it said.

    For reading and copying: what a close does after the yes needs no splitting and no checks.
    """
    stash = request.config.stash
    if _ASKED not in stash:
        home = prepared.copied(tmp_path_factory.mktemp("asked") / "office").home
        desk = Desk(home, server.environment)
        stash[_ASKED] = desk, desk.close(town, LOGNAME="anna")
    return stash[_ASKED]


@pytest.fixture
def waiting(asked: tuple[Desk, Answer], tmp_path: Path) -> Desk:
    """An office of one's own that waits for a yes."""
    return asked[0].copied(tmp_path / "office")


@pytest.fixture(scope="session")
def closed(
    request: pytest.FixtureRequest,
    prepared: Desk,
    server: Server,
    town: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Desk:
    """The office after the close of the town's October: for reading only."""
    stash = request.config.stash
    if _CLOSED not in stash:
        home = prepared.copied(tmp_path_factory.mktemp("closed") / "office").home
        stash[_CLOSED] = Desk(home, server.environment)
        answer = stash[_CLOSED].close(town, "--yes")
        assert answer.status == 0, answer.err
    return stash[_CLOSED]
