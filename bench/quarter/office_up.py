"""One `billclose up` that is measured: its processes, its Prefect server's books, its runs."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.quarter.clock import MovedClock
from office.secrets.prefect_access import authorization, known_auth

BILLCLOSE = Path(sys.executable).parent / "billclose"
VACUUM_SECONDS = "20"  # an office's server looks each hour for what is too old
ASKED_AGAIN = 0.5  # seconds
START_SECONDS, RUN_SECONDS, STOP_SECONDS = 300, 900, 60
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
OPEN = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}}


@dataclass(frozen=True, slots=True)
class Measured:
    """What the processes hold and have worked, and what Prefect's database holds, at a moment."""

    megabytes: dict[str, float]
    cpu_seconds: dict[str, float]  # since they began; of serving with the runs that have ended
    database_megabytes: float
    free_megabytes: float  # of the database's file: pages that are written to next
    log_megabytes: float  # the write-ahead log
    books_megabytes: float
    rows: dict[str, int] = field(default_factory=dict)  # of each table of Prefect's


class OfficeUp:
    """`billclose up` of a home, by a clock of its own."""

    def __init__(self, home: Path, clock: MovedClock, keep_days: int, said: Path) -> None:
        port = _free_port()
        self.home, self.url = home, f"http://127.0.0.1:{port}/api"
        self.environment = {
            name: value for name, value in os.environ.items() if "PREFECT" not in name
        } | clock.environment
        self._own = {
            "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": VACUUM_SECONDS,
            "BILLCLOSE_PREFECT__KEEP_DAYS": str(keep_days),
        }
        with said.open("wb") as log:
            self.process = subprocess.Popen(
                [BILLCLOSE, "--home", home, "up", "--port", str(port)],
                env=self.environment | self._own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._client = httpx.Client(timeout=60)

    def wait_until_up(self, deployments: int) -> None:
        """Block until all flows are served."""
        for _ in _turns(START_SECONDS):
            if self.process.poll() is not None:
                raise RuntimeError("billclose up ended before it was up")
            with suppress(httpx.HTTPError):
                if len(self._ask("deployments/filter", {})) >= deployments:
                    return
        raise RuntimeError("billclose up is not up")

    def wait_for_run(self, deployment: str, day: date, zone: Any) -> str:
        """
        Block until a deployment's run of a day and all others have ended; return its state.

        Of several one that completed counts: the rounds may have begun another at that moment,
        which is cancelled beside it.
        """
        start = datetime.combine(day, datetime.min.time(), zone)
        within = {
            "after_": start.astimezone(UTC).isoformat(),
            "before_": (start + timedelta(days=1)).astimezone(UTC).isoformat(),
        }
        asked = {
            "deployments": {"name": {"any_": [deployment]}},
            "flow_runs": {"expected_start_time": within},
        }
        for _ in _turns(RUN_SECONDS):
            with suppress(httpx.HTTPError):
                states = [one["state_type"] for one in self._ask("flow_runs/filter", asked)]
                if states and set(states) <= set(ENDED) and not self._ask("flow_runs/count", OPEN):
                    return str(min(states, key=ENDED.index))
        return "NOT BEGUN"

    def start(self, deployment: str, key: str) -> None:
        """Start what the rounds would, once for a key, as soon as the server takes it."""
        for _ in _turns(RUN_SECONDS):
            with suppress(httpx.HTTPError):  # SQLite is locked: the rounds ask at their next look
                found = self._ask_by_name(deployment)
                self._ask(f"deployments/{found}/create_flow_run", {"idempotency_key": key})
                return

    def run(self, *words: str) -> int:
        """Run a command of this office beside it, by its clock; return the exit status."""
        command = [str(BILLCLOSE), "--home", str(self.home), *words]
        return subprocess.run(
            command, env=self.environment, stdout=subprocess.DEVNULL, check=False
        ).returncode

    def measure(self) -> Measured:
        processes = {"up": self.process.pid} | dict(_named(self.process.pid))
        file = self.home / "prefect" / "prefect.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)) as database:
            (free,) = database.execute("PRAGMA freelist_count").fetchone()
            (page,) = database.execute("PRAGMA page_size").fetchone()
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            rows = {name: _count(database, name) for (name,) in names.fetchall()}
        return Measured(
            {name: _megabytes(number) for name, number in processes.items()},
            {name: _cpu_seconds(number) for name, number in processes.items()},
            file.stat().st_size / 1e6,
            free * page / 1e6,
            _size(file.with_name("prefect.db-wal")),
            _size(self.home / "billclose.db"),
            rows,
        )

    def stop(self) -> None:
        self._client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        auth = authorization(known_auth(self.home))
        answer = self._client.post(f"{self.url}/{path}", json=body, headers=auth)
        return answer.raise_for_status().json()

    def _ask_by_name(self, deployment: str) -> str:
        named = {"deployments": {"name": {"any_": [deployment]}}}
        return str(self._ask("deployments/filter", named)[0]["id"])


def _turns(seconds: int) -> Iterator[None]:
    """Yield after each rest until the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(ASKED_AGAIN)
        yield


def _named(leader: int) -> Iterator[tuple[str, int]]:
    """Yield the server's process and the one that serves, of those that `up` has started."""
    for child in Path(f"/proc/{leader}/task/{leader}/children").read_text().split():
        command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
        for words, name in ((b"prefect server", "server"), (b"serve_office", "serving")):
            if words in command:
                yield name, int(child)


def _megabytes(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def _cpu_seconds(process: int) -> float:
    """Return what a process has worked, with those that it has waited for."""
    parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, parts[11:15])) / os.sysconf("SC_CLK_TCK")


def _count(database: sqlite3.Connection, table: str) -> int:
    (count,) = database.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()
    return int(count)


def _size(file: Path) -> float:
    return file.stat().st_size / 1e6 if file.exists() else 0.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
