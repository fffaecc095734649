"""The home page beside its floor and its peers, and how it grows with the city."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC
from email.utils import localtime
from pathlib import Path

from bench.measuring import how_many_times
from bench.splitter.bulk_files import cache_folder
from bench.web.books import books_url, empty, make_city, sign_in, stay_signed_in
from bench.web.confirming import measure_confirming
from bench.web.finding import measure_finding
from bench.web.load import Pages, one_by_one, so_many_a_second
from bench.web.weighing import Weight, table_of_weights, weigh, words_of
from bench.writing import RESULTS, machine, memory_disk, write_down
from database.books import Database

RATE = 200.0  # pages a second
OURS, FASTAPI, FLOOR, DJANGO = "billclose", "fastapi", "floor", "django"
SETTINGS = '[web]\nurl = "http://127.0.0.1"\n[database]\nurl = "{url}"\n'


@dataclass(frozen=True)
class Row:
    """One way to serve the page, of one city."""

    served: str
    books: str
    accounts: int
    alone: Pages
    loaded: Pages | None


def main(arguments: list[str]) -> None:
    """Measure each way to serve the page in turn, twice over, and write the results."""
    told = _options().parse_args(arguments)
    if told.find:
        measure_finding(told.accounts, told.postgres, told.folder)
        return
    measure_confirming(min(told.accounts), told.postgres, told.folder, serving)
    if told.confirm:
        return
    rows: list[Row] = []
    weights: list[Weight] = []
    for url in ["", *([told.postgres] if told.postgres else [])]:
        for accounts in told.accounts:
            rows += list(measure(accounts, url, told, weights))
    written = "\n".join([table(rows), *in_words(rows), "", *table_of_weights(weights)])
    write_down(
        "web",
        {
            "machine": machine(),
            "load": os.getloadavg()[1],
            "rows": [asdict(row) for row in rows],
            "pages": [asdict(one) for one in weights],
        },
        written,
        folder=told.folder,
    )
    print(written)


def measure(
    accounts: int, url: str, told: argparse.Namespace, weights: list[Weight]
) -> Iterator[Row]:
    """Make a city and serve it in each way; on PostgreSQL in ours alone."""
    with tempfile.TemporaryDirectory(prefix="billclose-web-", dir=memory_disk()) as name:
        home = Path(name)
        place = url or books_url(home)
        (home / "billclose.toml").write_text(SETTINGS.format(url=place))
        cookies = _make(place, accounts)
        ways = [OURS] if url else [OURS, FLOOR, *([FASTAPI, DJANGO] if told.peers else [])]
        books = "PostgreSQL" if url else "SQLite"
        best: dict[str, Row] = {}
        said: dict[str, str] = {}
        for _ in range(told.rounds):
            stay_signed_in(place)
            for way in ways:
                row = Row(way, books, accounts, *asked(way, home, cookies, told, said, weights))
                if way not in best or row.alone.cpu_ms < best[way].alone.cpu_ms:
                    best[way] = row
        yield from best.values()
        if url:
            empty(url)


def _make(place: str, accounts: int) -> list[str]:
    """Make the city; return the tokens of its customers' cookies."""
    database, now, begun = Database(place), localtime().astimezone(UTC), time.monotonic()
    make_city(database, accounts, now)
    cookies = sign_in(database, accounts, now)
    database.close()
    print(f"{accounts:,} accounts made in {time.monotonic() - begun:.0f} s", flush=True)
    return cookies


def asked(
    way: str,
    home: Path,
    cookies: Sequence[str],
    told: argparse.Namespace,
    said: dict[str, str],
    weights: list[Weight],
) -> tuple[Pages, Pages | None]:
    """Ask for the page; every way must say the same, or it is not compared."""
    some = cookies[:50] if way == FLOOR else cookies  # what it says to each is written down
    with serving(way, home, some) as (port, server):
        first = said.setdefault("home", words_of(port, some[0]))
        if words_of(port, some[0]) != first:
            raise RuntimeError(f"{way} says something else: {words_of(port, some[0])}")
        if way == OURS and not weights:
            weights += weigh(port, some[0])
        one_by_one(port, server, some, told.pages // 4)
        alone = one_by_one(port, server, some, told.pages)
        loaded = None
        if way == OURS and told.seconds:
            so_many_a_second(port, server, some, int(RATE * told.warm_up), RATE)
            count = int(RATE * told.seconds)
            loaded = so_many_a_second(port, server, some, count, RATE)
    return alone, loaded


@contextmanager
def serving(way: str, home: Path, cookies: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Serve the page on one core by a process of its own; this one goes to another."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = dict(os.environ)
    if way == DJANGO:
        python = django_python()
        environment |= {"BENCH_BOOKS": str(home / "billclose.db"), "PYTHONPATH": ""}
        options = ["-k", "gthread", "--threads", "4", "-w", "1", "-b", f"127.0.0.1:{port}"]
        options += [
            "--keep-alive",
            "60",
            "--log-level",
            "error",
            "--chdir",
            str(Path(__file__).parent),
        ]
        command = [str(python), "-m", "gunicorn", *options, "django_page"]
    else:
        given = cookies if way == FLOOR else []
        command = [sys.executable, "-m", "bench.web.serving", way, str(port), str(home), *given]
    cores = sorted(os.sched_getaffinity(0))
    server = subprocess.Popen(command, env=environment)
    try:
        os.sched_setaffinity(server.pid, cores[:1])
        os.sched_setaffinity(0, cores[-1:])
        _wait_for(port, server)
        yield port, server.pid
    finally:
        os.sched_setaffinity(0, cores)
        server.terminate()
        server.wait()


def django_python() -> Path:
    """Return an interpreter that has Django and gunicorn, in an environment made where missing."""
    place = cache_folder() / "django"
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        packages = ["django==5.2.*", "gunicorn==23.*"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    while True:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)


def table(rows: Sequence[Row]) -> str:
    lines = [
        "# The customers' home page",
        "",
        f"{machine()}, load {os.getloadavg()[1]:.1f}. Two years of movements; the server has one"
        " core, the client another. CPU of the server, a page: asked over one connection, each"
        " after the one before, the better of the rounds. `floor` is the same statements by the"
        " bare driver and the same template with the same values. `fastapi` is the same functions"
        " in FastAPI, `django` the same page by its ORM and templates under gunicorn: the same"
        " session look-up, facts and headers, and the same words, which the bench compares. The"
        " open load goes on for some seconds before it is measured: in its first second a server"
        " that has just begun opens its connections to PostgreSQL, and pages wait for them.",
        "",
        "| served by | books | accounts | CPU ms | times the floor | p50 ms | bytes |"
        f" p99 ms at {RATE:.0f} a second |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    floors = {(row.books, row.accounts): row for row in rows if row.served == FLOOR}
    for row in rows:
        floor = floors.get((row.books, row.accounts))
        times = f"{how_many_times(row.alone.cpu_ms, floor.alone.cpu_ms):.1f}" if floor else ""
        p99 = f"{row.loaded.p99_ms:.1f}" if row.loaded else ""
        if row.loaded and row.loaded.failed:
            p99 = f"{row.loaded.failed} of {row.loaded.pages} failed"
        lines.append(
            f"| {row.served} | {row.books} | {row.accounts:,} | {row.alone.cpu_ms:.2f} | {times} |"
            f" {row.alone.middle_ms:.2f} | {row.alone.size:,} | {p99} |"
        )
    return "\n".join([*lines, ""])


def in_words(rows: Sequence[Row]) -> Iterator[str]:
    """Say what the targets are about: how the page grows with the city, and its peers."""
    ours = [row for row in rows if row.served == OURS]
    for books in dict.fromkeys(row.books for row in ours):
        grown = sorted((row for row in ours if row.books == books), key=lambda row: row.accounts)
        small, large = grown[0], grown[-1]
        if small is not large:
            more = 100 * (how_many_times(large.alone.cpu_ms, small.alone.cpu_ms) - 1)
            yield (
                f"On {books} a page with {large.accounts:,} accounts takes {more:+.0f} % of CPU"
                f" beside one with {small.accounts:,}."
            )
    for row in rows:
        if row.served in (DJANGO, FASTAPI):
            mine = next(
                one for one in ours if (one.books, one.accounts) == (row.books, row.accounts)
            )
            times = how_many_times(row.alone.cpu_ms, mine.alone.cpu_ms)
            yield f"With {row.accounts:,} accounts {row.served} takes {times:.1f} times ours."


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench web", description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="*", default=[2_000, 200_000])
    parser.add_argument("--pages", type=int, default=2_000, help="asked in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--warm-up", type=float, default=5.0, help="seconds of that load before it is measured"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help=f"of {RATE:.0f} pages a second")
    parser.add_argument("--postgres", default="", help="the URL of an empty database, for ours too")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--confirm", action="store_true", help="of confirming a payment alone")
    parser.add_argument("--find", action="store_true", help="of the console's search alone")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where the results go")
    return parser
