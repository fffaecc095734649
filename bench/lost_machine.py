"""How long a lost machine holds up the next close: a worker is stopped, or all is cut."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
import sqlalchemy as sa

from bench.close.city import PERIOD, city
from office.prefect_server.processes import die_with_parent
from office.prefect_server.server import FLOW_SETTINGS, SERVER_SETTINGS, _free_port

ACCOUNTS = 500
LONGEST = 150  # seconds from the loss until the next close begins
PATIENCE = 600
PROGRAMS = Path(sys.executable).parent
WHAT_IS_LOST = ("worker", "machine", "power")


@dataclass
class Place:
    """An office with a Prefect server and a worker of its own, below one folder."""

    folder: Path
    database: str
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        prefect = sa.make_url(self.database).set(drivername="postgresql+asyncpg")
        prefect = prefect.set(database=f"{prefect.database}_prefect")
        return (
            {name: value for name, value in os.environ.items() if "PREFECT" not in name}
            | SERVER_SETTINGS
            | FLOW_SETTINGS
            | {
                "BILLCLOSE_HOME": str(self.folder / "office"),
                "BILLCLOSE_DATABASE__URL": self.database,
                "BILLCLOSE_TIMEZONE": "America/Denver",
                "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
                "PREFECT_SERVER_DATABASE_CONNECTION_URL": prefect.render_as_string(False),
                "PREFECT_HOME": str(self.folder / "prefect"),
                "DO_NOT_TRACK": "1",
                "GX_ANALYTICS_ENABLED": "false",
            }
        )

    def start(self, name: str, *words: object) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [str(word) for word in words],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                start_new_session=True,
            )

    def start_server(self) -> None:
        words = ("server", "start", "--host", "127.0.0.1", "--port", self.port)
        self.start("server", PROGRAMS / "prefect", *words)
        until(lambda: self.ask("GET", "health") is True)

    def start_worker(self) -> None:
        words = ("worker", "start", "--pool", "office", "--type", "process")
        self.start("worker", PROGRAMS / "prefect", *words)

    def run(self, *words: object) -> str:
        done = subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            url = f"http://127.0.0.1:{self.port}/api/{path}"
            return httpx.request(method, url, json=body, timeout=30).json()
        except (httpx.HTTPError, ValueError):
            return None

    def close(self) -> str:
        """Start a close of the period; return the run's number."""
        found = self.ask("GET", "deployments/name/close-period/close-period")
        given = {"period": PERIOD, "bundle": str(city(ACCOUNTS)), "approve": True}
        path = f"deployments/{found['id']}/create_flow_run"
        return str(self.ask("POST", path, {"parameters": given})["id"])

    def state(self, run: str) -> str:
        found = self.ask("GET", f"flow_runs/{run}") or {}
        return str(found.get("state_name"))


def main(arguments: list[str]) -> None:
    """Lose each in turn, in an office of its own, and say when the next close began."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", required=True, help="postgresql+psycopg://… that may CREATE")
    parser.add_argument("what", nargs="*", default=WHAT_IS_LOST, metavar="|".join(WHAT_IS_LOST))
    told = parser.parse_args(arguments)
    for what in told.what or WHAT_IS_LOST:
        with _office(told.postgres, what) as place:
            print(json.dumps(_lose(place, what)), flush=True)


def _lose(place: Place, what: str) -> dict[str, Any]:
    first = place.close()
    until(lambda: _is_in_mid_close(place))
    lost_at = time.monotonic()
    _ending(what)(place)
    if what == "power":
        place.start_server()
    place.start_worker()
    second = place.close()
    until(lambda: place.state(first) not in ("Running", "None"))
    buried = time.monotonic() - lost_at
    until(lambda: place.state(second) not in NOT_BEGUN)
    begun = time.monotonic() - lost_at
    until(lambda: place.state(second) in ("Completed", "Failed", "Crashed", "Cancelled"))
    return {
        "lost": what,
        "first": place.state(first),
        "buried_after": round(buried),
        "next_begins_after": round(begun),
        "in_time": begun <= LONGEST,
        "second": place.state(second),
        **_outcome(place),
    }


NOT_BEGUN = ("Scheduled", "Late", "Pending", "Submitting", "None", "AwaitingConcurrencySlot")


def _is_in_mid_close(place: Place) -> bool:
    """Tell whether the bills are published and their mails leave: the worst moment."""
    published = sa.text("SELECT count(*) FROM run_step WHERE step = 'publish bills'")
    engine = sa.create_engine(place.database)
    try:
        with engine.connect() as books:
            return bool(books.scalar(published))
    except sa.exc.SQLAlchemyError:
        return False
    finally:
        engine.dispose()


def _ending(what: str) -> Callable[[Place], None]:
    def stop_worker(place: Place) -> None:
        place.running["worker"].send_signal(signal.SIGTERM)
        place.running["worker"].wait(60)

    def cut(place: Place) -> None:
        names = ("worker", "server") if what == "power" else ("worker",)
        doomed = [one for name in names for one in family(place.running[name].pid)]
        for one in doomed:
            os.kill(one, signal.SIGKILL)
        for name in names:
            place.running[name].wait(60)

    return stop_worker if what == "worker" else cut


def family(leader: int) -> list[int]:
    """Return a process and all below it."""
    children = Path(f"/proc/{leader}/task").glob("*/children")
    below = [int(one) for file in children for one in file.read_text().split()]
    return [leader, *(one for child in below for one in family(child))]


def _outcome(place: Place) -> dict[str, Any]:
    listed = place.run(PROGRAMS / "billclose", "list", "deliveries", "--json")
    sent = [row for row in json.loads(listed) if row["status"] == "sent"]
    mailboxes = {(row["account"], row["recipient"], row["kind"]) for row in sent}
    return {"mails": len(sent), "twice": len(sent) - len(mailboxes)}


@contextmanager
def _office(postgres: str, what: str) -> Iterator[Place]:
    folder = Path(mkdtemp(prefix=f"billclose-lost-{what}-"))
    name = f"lost_{what}_{os.getpid()}"
    _make_databases(postgres, name, f"{name}_prefect")
    url = sa.make_url(postgres).set(database=name).render_as_string(hide_password=False)
    place = Place(folder, url, _free_port())
    (folder / "office").mkdir(mode=0o700)
    try:
        place.run(PROGRAMS / "billclose", "init")
        place.start_server()
        place.run(PROGRAMS / "prefect", "work-pool", "create", "office", "--type", "process")
        place.run(sys.executable, "-m", "deployments.deploying", folder / "office")
        place.start_worker()
        yield place
    finally:
        for one in place.running.values():
            for member in family(one.pid) if one.poll() is None else ():
                os.kill(member, signal.SIGKILL)
            one.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _make_databases(postgres: str, *names: str) -> None:
    engine = sa.create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in names:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()


def until(look: Callable[[], bool]) -> None:
    """Look twice a second until it is so; raises TimeoutError in the end."""
    end = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > end:
            raise TimeoutError("it did not come to that")
        time.sleep(0.5)


if __name__ == "__main__":
    main(sys.argv[1:])
