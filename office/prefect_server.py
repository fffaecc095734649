"""A Prefect server of our own for as long as a close runs, where the office has none."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from domain.failures import TemporaryFailure

START_SECONDS = 180
RECORD_SECONDS = 30
PARENT_DEATH_SIGNAL = 1  # prctl(2): PR_SET_PDEATHSIG
ANNOUNCEMENT = "server.url"
TEMPLATE = Path(sys.prefix) / "share" / "billclose" / "prefect.db"


def server_environment(home: Path, port: int) -> dict[str, str]:
    """
    Return the settings of a Prefect server that lives in the home.

    A batched recorder costs an eighth of the CPU per task run; without the UI's own address the
    browser would ask another port; nothing is reported to anybody.
    """
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_UI_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def prefect_server(home: Path, api_url: str = "", port: int = 0) -> Iterator[PrefectServer]:
    """
    Give the process a Prefect server: a known one, or one of our own.

    Known is the one that the settings, the environment or a running `billclose up` name. Our own
    is a real `prefect server start` on the database in the home, because the ephemeral one drops
    task runs at exit. It starts in the background at once; `wait_until_ready` blocks. It is
    stopped in the end, also where this process is killed. With a `port` others find it too.
    """
    known = api_url or os.environ.get("PREFECT_API_URL", "") or _announced(home)
    if known:
        with _environment({"PREFECT_API_URL": known}):
            yield PrefectServer(known, None)
        return
    chosen = port or _free_port()
    environment = server_environment(_prepared(home), chosen)
    with _environment(environment):
        process = _start(home, chosen)
        try:
            if port:
                (home / ANNOUNCEMENT).write_text(environment["PREFECT_API_URL"])
            yield PrefectServer(environment["PREFECT_API_URL"], process)
        finally:
            if port:
                (home / ANNOUNCEMENT).unlink(missing_ok=True)
            _stop(process)


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


def _announced(home: Path) -> str:
    """Return the address of a server that `billclose up` keeps for this home, if it answers."""
    try:
        api_url = (home / ANNOUNCEMENT).read_text().strip()
    except OSError:
        return ""
    return api_url if PrefectServer(api_url, None).answers() else ""


class PrefectServer:
    """A Prefect server's address and, where it is ours, its process."""

    def __init__(self, api_url: str, process: subprocess.Popen[bytes] | None) -> None:
        self.api_url = api_url
        self.process = process

    def wait_until_ready(self) -> None:
        """Block until the server answers; raises TemporaryFailure where it does not."""
        for _ in range(START_SECONDS * 10):
            if self.process is not None and self.process.poll() is not None:
                break
            if self.answers():
                return
            if self.process is None:
                break
            time.sleep(0.1)
        raise TemporaryFailure(
            f"The Prefect server at {self.api_url} does not answer; "
            "see prefect/server.log in the home, or the setting prefect.api_url."
        )

    def bury_dead_runs(self) -> None:
        """
        Mark runs as crashed that a killed command left running.

        Our own server lives no longer than the command, so whatever runs before ours has died;
        the books know how far it came, and the run that follows goes on there.
        """
        if self.process is None:
            return
        running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}}
        message = "The command was killed; run it again and it goes on where it was."
        crashed = {"state": {"type": "CRASHED", "message": message}, "force": True}
        answer = httpx.post(f"{self.api_url}/flow_runs/filter", json=running, timeout=30)
        for run in answer.json() if answer.is_success else []:
            httpx.post(f"{self.api_url}/flow_runs/{run['id']}/set_state", json=crashed, timeout=30)

    def wait_until_recorded(self, flow_run: str) -> None:
        """
        Block until the server has written down a flow's task runs, which it does a bit later.

        Their number stands still once the last batch is in; none of them is left running.
        """
        if self.process is None:
            return
        ours: dict[str, object] = {"flow_runs": {"id": {"any_": [flow_run]}}}
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
            return httpx.get(f"{self.api_url}/health", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def _count(self, query: dict[str, object]) -> int:
        try:
            answer = httpx.post(f"{self.api_url}/task_runs/count", json=query, timeout=5)
        except httpx.HTTPError:
            return -1
        return int(answer.json()) if answer.is_success else -1


def _prepared(home: Path) -> Path:
    """Make the server's folder; a database migrated beforehand saves six seconds of the start."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = home / "prefect.db"
    if not database.exists() and TEMPLATE.is_file():
        partial = home / f"prefect.db.{os.getpid()}"
        shutil.copyfile(TEMPLATE, partial)
        partial.replace(database)
    return home


def _start(home: Path, port: int) -> subprocess.Popen[bytes]:
    command = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *command],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    """Ask the kernel to stop the server when we are gone, and give it the usual signals back."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
