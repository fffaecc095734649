"""A Prefect server of our own for as long as a close runs, where the office has none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from domain.failures import Misuse
from office.child_processes import die_with_parent, stop, turn_over
from office.prefect_access import ANNOUNCEMENT, auth_of, known_auth
from office.prefect_client import RECORD_SECONDS, PrefectServer

if TYPE_CHECKING:
    from office.settings_running import PrefectSettings

__all__ = ["ANNOUNCEMENT", "RECORD_SECONDS", "PrefectServer", "office_server", "prefect_server"]

TEMPLATE = Path(sys.prefix) / "share" / "billclose" / "prefect.db"


def server_environment(
    home: Path, port: int, *, auth: str = "", database_url: str = ""
) -> dict[str, str]:
    """
    Return the settings of a Prefect server that lives in the home.

    A batched recorder costs an eighth of the CPU per task run; few runs are planned ahead, so that
    few are left over after a long night; without the UI's own address the browser would ask
    another port; nothing is reported to anybody. With `auth` nobody else on the machine gets in.
    """
    environment = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_UI_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "12",
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
    }
    if auth:
        environment["PREFECT_SERVER_API_AUTH_STRING"] = auth
        environment["PREFECT_API_AUTH_STRING"] = auth
    if database_url:
        driver = "postgresql+asyncpg://"  # the one that Prefect speaks
        environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = (
            driver + database_url.partition("://")[2]
        )
    return environment


@contextmanager
def office_server(
    home: Path, chosen: PrefectSettings, port: int = 0, *, in_group: bool = False
) -> Iterator[PrefectServer]:
    """Give the process the Prefect server of an office, as its settings say."""
    is_known = bool(_known_address(home / "prefect", chosen.api_url))
    auth = chosen.auth_string.get_secret_value()
    auth = known_auth(home, auth) if is_known else auth_of(home, auth)
    with prefect_server(
        home / "prefect",
        chosen.api_url,
        port,
        auth=auth,
        database_url=chosen.database_url.get_secret_value(),
        in_group=in_group,
    ) as server:
        yield server


@contextmanager
def prefect_server(
    home: Path,
    api_url: str = "",
    port: int = 0,
    *,
    auth: str = "",
    database_url: str = "",
    in_group: bool = False,
) -> Iterator[PrefectServer]:
    """
    Give the process a Prefect server: a known one, or one of our own.

    Known is the one that the settings, the environment or a running `billclose up` name. Our own
    is a real `prefect server start` on the database in the home, because the ephemeral one drops
    task runs at exit. It starts in the background at once; `wait_until_ready` blocks. It is
    stopped in the end, also where this process is killed. With a `port` others find it too.
    `in_group`: it belongs to the caller's process group, so that one signal reaches both.
    """
    known = _known_address(home, api_url)
    if known:
        opened = {"PREFECT_API_AUTH_STRING": auth} if auth else {}
        with _environment({"PREFECT_API_URL": known, **opened}):
            yield PrefectServer(known, auth=auth)
        return
    chosen = _require_free(port) if port else _free_port()
    environment = server_environment(
        _prepared(home, is_elsewhere=bool(database_url)),
        chosen,
        auth=auth,
        database_url=database_url,
    )
    with _environment(environment):
        server = PrefectServer(
            environment["PREFECT_API_URL"],
            lambda: _start(home, chosen, in_group=in_group),
            auth=auth,
        )
        try:
            if port:
                (home / ANNOUNCEMENT).write_text(server.api_url)
            yield server
        finally:
            if port:
                (home / ANNOUNCEMENT).unlink(missing_ok=True)
            stop(server.process)


@contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _known_address(home: Path, api_url: str) -> str:
    return api_url or os.environ.get("PREFECT_API_URL", "") or _announced(home)


def _announced(home: Path) -> str:
    """Return the address of a server that `billclose up` keeps for this home, if it answers."""
    try:
        api_url = (home / ANNOUNCEMENT).read_text().strip()
    except OSError:
        return ""
    return api_url if PrefectServer(api_url).answers() else ""


def _prepared(home: Path, *, is_elsewhere: bool = False) -> Path:
    """Make the server's folder; a database migrated beforehand saves six seconds of the start."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = home / "prefect.db"
    if not is_elsewhere and not database.exists() and TEMPLATE.is_file():
        partial = home / f"prefect.db.{os.getpid()}"
        shutil.copyfile(TEMPLATE, partial)
        partial.replace(database)
    return home


def _start(home: Path, port: int, *, in_group: bool) -> subprocess.Popen[bytes]:
    command = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    turn_over(home / "server.log")
    with (home / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *command],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=not in_group,
            preexec_fn=die_with_parent,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _require_free(port: int) -> int:
    """Raise Misuse where somebody listens on a port already."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Misuse(f"Port {port} is taken on this machine; give another by --port.", "port")
    return port
