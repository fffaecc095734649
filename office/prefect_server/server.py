"""A Prefect server of our own for as long as a close runs, where the office has none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import httpx

from domain.failures import Misuse, TemporaryFailure
from office.logs import turn_over
from office.prefect_server.last_words import size_of, why_it_ended
from office.prefect_server.processes import die_with_parent, stop
from office.secrets.prefect_access import ANNOUNCEMENT, auth_of, authorization, known_auth

if TYPE_CHECKING:
    from office.settings.close import PrefectSettings


START_SECONDS = 180
RECORD_SECONDS = 30
HEALTH_SECONDS = httpx.Timeout(15, connect=2)  # one that is busy is there; a dead one says so


class PrefectServer:
    """A Prefect server's address and, where it is ours, its process and how that is started."""

    def __init__(
        self,
        api_url: str,
        start: Callable[[], subprocess.Popen[bytes]] | None = None,
        *,
        auth: str = "",
        log: Path | None = None,
    ) -> None:
        self.api_url = api_url
        self.auth = auth
        self._start = start
        self._log = log
        self._log_start = size_of(log) if log else 0
        self.process = start() if start else None

    @property
    def is_ours(self) -> bool:
        return self._start is not None

    def restart(self) -> None:
        """Start our own server once more, after it died."""
        if self._start is not None:
            self._log_start = size_of(self._log) if self._log else 0
            self.process = self._start()

    def wait_until_ready(self) -> None:
        """Block until the server answers; raises TemporaryFailure where it does not."""
        for _ in range(START_SECONDS * 10):
            if self.process is not None and self.process.poll() is not None:
                break
            if self.answers():
                self._require_entry()
                return
            if self.process is None:
                break
            time.sleep(0.1)
        raise TemporaryFailure(self._say_not_up())

    def _say_not_up(self) -> str:
        """Say why it is not there, by its own log where it is ours."""
        if self.process is None:
            return (
                f"The Prefect server at {self.api_url} does not answer; see that it runs, or the "
                "setting prefect.api_url."
            )
        status = self.process.poll()
        how = "does not answer" if status is None else "ended before it answered"
        why = why_it_ended(self._log, self._log_start) if self._log else ""
        return (
            f"The Prefect server at {self.api_url} that was started here {how}"
            f"{f': {why}' if why else ''}; see prefect/server.log in the home."
        )

    def bury_dead_runs(self) -> None:
        """
        Mark runs as crashed that a killed command left running.

        Our own server lives no longer than the command, so whatever runs before ours has died;
        the books know how far it came, and the run that follows goes on there. A server too busy to
        answer leaves them as they are, for the next command.
        """
        if self.process is None:
            return
        with suppress(httpx.HTTPError):
            self._bury_running()

    def _bury_running(self) -> None:
        running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}}
        message = "The command was killed; run it again and it goes on where it was."
        crashed = {"state": {"type": "CRASHED", "message": message}, "force": True}
        answer = self._post("flow_runs/filter", running, 30)
        for run in answer.json() if answer.is_success else []:
            self._post(f"flow_runs/{run['id']}/set_state", crashed, 30)

    def wait_until_recorded(self, flow_run: str = "") -> None:
        """
        Block until the server has written down task runs, which it does a bit later.

        Those of one flow run, or all there are. Their number stands still once the last batch is
        in; none of them is left running.
        """
        if self.process is None:
            return
        ours: dict[str, object] = {"flow_runs": {"id": {"any_": [flow_run]}}} if flow_run else {}
        running = {"task_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}}
        before = -1
        for _ in range(RECORD_SECONDS):
            now = self._count(ours)
            if now == before and now > 0 and self._count(ours | running) == 0:
                return
            before = now
            time.sleep(1.1)  # more than the recorder's interval

    def answers(self) -> bool:
        try:
            return self._client.get(f"{self.api_url}/health", timeout=HEALTH_SECONDS).is_success
        except httpx.HTTPError:
            return False

    @cached_property
    def _client(self) -> httpx.Client:
        """One for all requests: to make one takes 30 ms, as it loads every certificate there is."""
        return httpx.Client()

    def _require_entry(self) -> None:
        """Raise TemporaryFailure where the server wants another password than the one we have."""
        try:
            answer = self._client.get(
                f"{self.api_url}/admin/version", headers=authorization(self.auth), timeout=30
            )
        except httpx.HTTPError:
            return  # busy: whoever needs it says so
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise TemporaryFailure(
                f"The Prefect server at {self.api_url} does not let us in; set "
                "BILLCLOSE_PREFECT__AUTH_STRING to its name:password."
            )

    def _post(self, path: str, body: dict[str, Any], seconds: float) -> httpx.Response:
        return self._client.post(
            f"{self.api_url}/{path}", json=body, headers=authorization(self.auth), timeout=seconds
        )

    def _count(self, query: dict[str, object]) -> int:
        try:
            answer = self._post("task_runs/count", query, 5)
        except httpx.HTTPError:
            return -1
        return int(answer.json()) if answer.is_success else -1


__all__ = ["ANNOUNCEMENT", "RECORD_SECONDS", "PrefectServer", "office_server", "prefect_server"]

# What every Prefect server of an office runs with: ours, that of the units and of compose alike.
# A batched recorder costs an eighth of the CPU per task run; few runs are planned ahead, so that
# few are left over after a long night. Whatever ended longer ago than the retention goes, with its
# logs and artifacts: to keep it for ever would be 82 MB a day in a busy office.
KEEP_DAYS = 400
SERVER_SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "12",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(KEEP_DAYS * 86_400),
}
# Where flows run: a run that is silent for three heartbeats is lost (automations.yaml, run-lost).
HEARTBEAT_SECONDS = 30
FLOW_SETTINGS = {
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    "PREFECT_WORKER_QUERY_SECONDS": "2",  # a clerk waits for what he started there
    "PREFECT_RUNNER_POLL_FREQUENCY": "2",
}

TEMPLATE = Path(sys.prefix) / "share" / "billclose" / "prefect.db"


def server_environment(
    home: Path, port: int, *, auth: str = "", database_url: str = "", keep_days: int = KEEP_DAYS
) -> dict[str, str]:
    """
    Return the settings of a Prefect server that lives in the home.

    Without the UI's own address the browser would ask another port; nothing is reported to
    anybody. With `auth` nobody else on the machine gets in.
    """
    kept = {"PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(keep_days * 86_400)}
    environment = (
        SERVER_SETTINGS
        | kept
        | {
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_UI_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_CLI_PROMPT": "false",
            "DO_NOT_TRACK": "1",
        }
    )
    if not _can_unpack_its_pages():
        environment["PREFECT_UI_STATIC_DIRECTORY"] = str(home / "ui")
    if auth:
        environment["PREFECT_SERVER_API_AUTH_STRING"] = auth
        environment["PREFECT_API_AUTH_STRING"] = auth
    if database_url:
        environment |= database_environment(database_url)
    return environment


_TLS = "PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_"
_TLS_FILES = {"sslrootcert": "CA_FILE", "sslcert": "CERT_FILE", "sslkey": "KEY_FILE"}


def database_environment(url: str) -> dict[str, str]:
    """
    Return the settings by which a Prefect server reaches its PostgreSQL, TLS as the URL asks for.

    Its driver, asyncpg, does not know libpq's `sslmode` and the files beside it: a mode without
    files is its `ssl`, and files are Prefect's own settings.
    """
    address, _, query = url.partition("://")[2].partition("?")
    words = dict(parse_qsl(query))
    mode = words.pop("sslmode", "")
    files = {name: words.pop(word) for word, name in _TLS_FILES.items() if words.get(word)}
    settings = {}
    if mode.startswith("verify-") and files:
        files = {name: file for name, file in files.items() if file != "system"}
        settings = {f"{_TLS}{name}": file for name, file in files.items()} | {
            f"{_TLS}ENABLED": "true",
            f"{_TLS}CHECK_HOSTNAME": "true" if mode == "verify-full" else "false",
        }
    elif mode:
        words["ssl"] = mode
    tail = f"?{urlencode(words)}" if words else ""
    return settings | {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://{address}{tail}"
    }


def _can_unpack_its_pages() -> bool:
    """
    Tell whether Prefect may unpack its UI beside its own program, once for all homes.

    A service may not: the program is root's, or its folder is read-only. Without a place for them
    the server starts, and has no pages.
    """
    found = find_spec("prefect")
    places = (found.submodule_search_locations if found else None) or ()
    return any(os.access(Path(place) / "server", os.W_OK) for place in places)


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
        keep_days=chosen.keep_days,
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
    keep_days: int = KEEP_DAYS,
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
        keep_days=keep_days,
    )
    with _environment(environment):
        server = PrefectServer(
            environment["PREFECT_API_URL"],
            lambda: _start(home, chosen, in_group=in_group),
            auth=auth,
            log=home / "server.log",
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
        try:
            shutil.copyfile(TEMPLATE, partial)
            partial.replace(database)
        finally:
            partial.unlink(missing_ok=True)  # a disk that was full keeps no part of it
    return home


def _start(home: Path, port: int, *, in_group: bool) -> subprocess.Popen[bytes]:
    command = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    turn_over(home / "server.log")
    with (home / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", *command],
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
