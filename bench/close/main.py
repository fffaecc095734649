"""The whole close of cities of several sizes, each step beside the least it could take."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from bench.close.city import PERIOD, city
from bench.close.figures import Closed, Figures, StepTime, Times
from bench.close.history import add_history
from bench.close.limits import limits
from bench.close.mailing import mailed_again
from bench.close.memory import Held
from bench.close.results import line, write_results
from bench.close.runs import close, init, run
from bench.mail.servers import are_installed, server
from bench.splitter.bulk_files import cache_folder
from bench.writing import RESULTS

SIZES, ALL_SIZES = (2_000, 20_000), (2_000, 20_000, 200_000)
BOOKS = "billclose.db"
LISTED = (  # each with a period's rows alone: twelve times the rows take twelve times the time
    *("bills", "deliveries", "paper", "scheduled-payments"),
    *("autopay-unscheduled", "checks", "exceptions", "audit"),
)
LOOKS = 5
MAILED_AGAIN = range(10_000, 100_000)  # accounts: one process sends fewer, and more take long
WITHOUT_PERIOD = frozenset({"audit"})


def main(arguments: list[str]) -> None:
    """Close the cities, print a line for each step, and write `close.json`, `.md` and `.svg`."""
    told = _options().parse_args(arguments)
    figures = Figures([], [], [], [])
    with (
        server(0) if are_installed() else nullcontext() as relay,
        TemporaryDirectory(prefix="close-", dir=cache_folder()) as folder,
    ):
        for engine, url in _engines(told.postgres):
            for accounts in ALL_SIZES if told.full else told.sizes:
                home = Path(folder) / f"{engine}-{accounts}"
                with _database(url, accounts) as chosen:
                    closed = _close(home, accounts, engine, chosen, relay)
                    if relay is not None and accounts in MAILED_AGAIN:
                        environment = _environment(relay, chosen[0])
                        figures.processes.extend(mailed_again(home, environment))
                figures.closes.append(closed)
                print("\n".join(line(closed, step) for step in closed.steps), flush=True)
                shutil.rmtree(home)
        figures.starts.extend(_starts(Path(folder) / "empty"))
        if told.history:
            figures.history.extend(_history(Path(folder), told.history, relay))
        if told.processes:
            figures.processes.extend(_processes(Path(folder), told.processes, relay))
    write_results(figures, told.results)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench close", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=SIZES, help="accounts of the cities"
    )
    parser.add_argument("--full", action="store_true", help="also 200,000 accounts; an hour")
    parser.add_argument("--postgres", default="", help="URL of a server where databases are made")
    parser.add_argument("--history", type=int, default=2_000, help="accounts with a year; 0: none")
    parser.add_argument("--processes", type=int, default=2_000, help="accounts split by 1 and 2")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser


def _engines(postgres: str) -> Iterator[tuple[str, str]]:
    yield "SQLite", ""
    if postgres:
        yield "PostgreSQL", postgres


@contextmanager
def _database(server_url: str, accounts: int) -> Iterator[tuple[str, str]]:
    """Give a URL for the books and one for the bare rows; empty: files in the home."""
    if not server_url:
        yield "", ""
        return
    names = (f"close_{accounts}", f"close_{accounts}_bare")
    engine = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as books:
        for name in names:
            books.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            books.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        base = sa.make_url(server_url)
        urls = [base.set(database=name).render_as_string(hide_password=False) for name in names]
        yield urls[0], urls[1]
    finally:
        with engine.connect() as books:
            for name in names:
                books.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()


def _environment(relay: int | None, url: str = "") -> dict[str, str]:
    smtp = {} if relay is None else {"BILLCLOSE_SMTP__URL": f"smtp://127.0.0.1:{relay}"}
    return smtp | ({"BILLCLOSE_DATABASE__URL": url} if url else {})


def _close(
    home: Path, accounts: int, engine: str, urls: tuple[str, str], relay: int | None
) -> Closed:
    bundle, environment = city(accounts), _environment(relay, urls[0])
    init(home, environment)
    ended, told = close(home, bundle, environment)
    books = urls[0] or f"sqlite:///{home / BOOKS}"
    bare = urls[1] or f"sqlite:///{home / 'bare.db'}"
    least = limits((books, bare), home, told["deliveries"]["sent"], relay)
    nothing = Held(0, 0, 0)
    steps = [
        StepTime(name, seconds, least.get(name), held.own, held.other)
        for name, seconds in _by_step(told["seconds"])
        for held in [ended.held.get(name, nothing)]
    ]
    before = ended.first_line_after - steps[0].seconds
    return Closed(
        accounts, engine, told["bills"], told["deliveries"]["sent"], ended.wall_seconds,
        ended.cpu_seconds, ended.peak_megabytes, before, steps,
    )  # fmt: skip


def _by_step(seconds: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for name, taken in seconds.items():
        yield name, float(taken)


def _starts(home: Path) -> list[Times]:
    """Measure the CPU of commands that only look."""
    init(home, {})
    looks = (["--help"], ["list", "bills", "--json"], ["list", "audit"])
    return [
        Times(" ".join(look), [run(home, look, {}).cpu_seconds for _ in range(3)]) for look in looks
    ]


def _history(folder: Path, accounts: int, relay: int | None) -> list[Times]:
    """Close with nothing before it and with a year, then list the period's rows in both homes."""
    environment, bundle = _environment(relay), city(accounts)
    found: dict[str, list[float]] = {}
    homes = [folder / "first", folder / "with-a-year"]
    for home in homes:
        init(home, environment)
        if home != homes[0]:
            add_history(home / BOOKS, homes[0] / BOOKS)
        ended, told = close(home, bundle, environment)
        found.setdefault("close", []).append(ended.wall_seconds)
        for name, seconds in _by_step(told["seconds"]):
            found.setdefault(name, []).append(seconds)
    lists = [Times(f"list {what}", _listed(homes, what)) for what in LISTED]
    return [*(Times(name, seconds) for name, seconds in found.items()), *lists]


def _listed(homes: list[Path], what: str) -> list[float]:
    """Return the least seconds of CPU in each home; they take turns, so that both meet the same."""
    only = [] if what in WITHOUT_PERIOD else ["--where", f"period={PERIOD}"]
    taken: list[list[float]] = [[] for _ in homes]
    for _ in range(LOOKS):
        for home, seconds in zip(homes, taken, strict=True):
            seconds.append(run(home, ["list", what, "--json", *only], {}).cpu_seconds)
    return [min(seconds) for seconds in taken]


def _processes(folder: Path, accounts: int, relay: int | None) -> list[Times]:
    """Split with one process and with two."""
    found = []
    for processes in range(1, min(2, os.cpu_count() or 1) + 1):
        home = folder / f"processes-{processes}"
        environment = _environment(relay) | {"BILLCLOSE_SPLITTER__PROCESSES": str(processes)}
        init(home, environment)
        _, told = close(home, city(accounts), environment)
        found.append(dict(_by_step(told["seconds"])))
    return [Times(name, [one[name] for one in found]) for name in found[0]]
