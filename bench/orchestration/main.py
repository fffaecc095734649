"""Prefect's share of a close: the flow beside its server against the same steps as plain calls."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.orchestration.jobs import FLOW, PLAIN, Figures
from bench.splitter.bulk_files import cache_folder
from bench.writing import machine, write_down

ACCOUNTS, FULL_ACCOUNTS = 500, 20_000
TARGET = 0.05


@dataclass(frozen=True)
class Row:
    """The best of several closes of one size; what disturbs a machine only adds to it."""

    job: str
    accounts: int
    figures: Figures

    @property
    def cpu_seconds(self) -> float:
        return self.figures.cpu_seconds + self.figures.server_cpu_seconds


def main(arguments: list[str]) -> None:
    """Close a city both ways, turn by turn, and say what Prefect costs."""
    told = _options().parse_args(arguments)
    rows = []
    sizes = (ACCOUNTS, FULL_ACCOUNTS) if told.full else (told.accounts,)
    with TemporaryDirectory(prefix="billclose-orchestration-") as folder:
        for accounts in sizes:
            times = told.repeat if accounts < FULL_ACCOUNTS else 1
            rows += measure(accounts, times, Path(folder))
            for row in rows[-2:]:
                print(line(row), flush=True)
    print("\n".join(conclusions(rows)), flush=True)
    if told.full:
        write_results(rows)


def measure(accounts: int, times: int, folder: Path) -> list[Row]:
    bundle = city(accounts)
    found: dict[str, list[Figures]] = {PLAIN: [], FLOW: []}
    for _ in range(times):
        for job, figures in found.items():
            figures.append(close(job, bundle, folder / "home"))
    return [
        Row(job, accounts, min(figures, key=lambda one: one.cpu_seconds + one.server_cpu_seconds))
        for job, figures in found.items()
    ]


def city(accounts: int) -> Path:
    """Return an invented city's export, made where it is missing."""
    from command_line.demo.export import write_demo_city

    bundle = cache_folder() / f"city-{accounts}"
    if not (bundle / "bundle.toml").exists():
        unfinished = bundle.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        write_demo_city(unfinished, accounts=accounts)
        unfinished.rename(bundle)
    return bundle


def close(job: str, bundle: Path, home: Path) -> Figures:
    """Close a period in a process of its own and a home of its own, which is removed."""
    home.mkdir(mode=0o700)
    environment = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    environment |= {"GX_ANALYTICS_ENABLED": "false"}
    try:
        subprocess.run(
            [Path(sys.executable).parent / "billclose", "--home", home, "init"],
            stdout=subprocess.DEVNULL,
            env=environment,
            check=True,
        )
        told = subprocess.run(
            [sys.executable, "-m", "bench.orchestration.jobs", job, home, bundle],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            check=True,
        )
    finally:
        shutil.rmtree(home)
    return Figures(**json.loads(told.stdout))


def line(row: Row) -> str:
    found = row.figures
    return (
        f"{row.job:12} {row.accounts:7,} accounts {found.wall_seconds:8.1f} s"
        f" {found.cpu_seconds:8.1f} s CPU {found.server_cpu_seconds:6.1f} s CPU of the server"
        f" {found.task_runs:4} task runs"
    )


def conclusions(rows: list[Row]) -> Iterator[str]:
    """
    Say what Prefect costs at each size.

    In the closing process that is the difference between both ways in the smallest city: it is
    that of the tasks, states and artifacts, as many for each city, and in a large one it is lost
    in what the same work costs one time and another. The server's part is measured by itself.
    """
    known = {(row.job, row.accounts): row.figures for row in rows}
    sizes = sorted({row.accounts for row in rows})
    least = sizes[0]
    client = max(known[FLOW, least].cpu_seconds - known[PLAIN, least].cpu_seconds, 0.0)
    waits = max(known[FLOW, least].wall_seconds - known[PLAIN, least].wall_seconds, 0.0)
    for accounts in sizes:
        flow, plain = known[FLOW, accounts], known[PLAIN, accounts]
        cost = client + flow.server_cpu_seconds
        start = cost + flow.start_cpu_seconds
        work = min(flow.cpu_seconds - client, plain.cpu_seconds)
        yield (
            f"- {accounts:,} accounts: {cost:.1f} s of CPU ({client:.1f} s in the closing process, "
            f"{flow.server_cpu_seconds:.1f} s in the server), {cost / (work + cost):.1%} of the "
            f"close; about {waits:.1f} s of wall time. With a server of our own, started for this "
            f"close alone, {start:.1f} s, {start / (work + start):.1%}."
        )


def write_results(rows: list[Row]) -> None:
    figures = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    text = [
        "# What orchestration costs",
        "",
        f"A whole close of an invented city, SQLite, mail into a folder; {machine()}. `{FLOW}` is"
        " what `billclose close` runs, beside a Prefect server of its own that was started before"
        f" the clock; `{PLAIN}` are the same steps without tasks, states, artifacts and logs sent.",
        f"The target is {TARGET:.0%} of a close of {FULL_ACCOUNTS:,} accounts.",
        "",
        "| | accounts | seconds | CPU seconds | of the server | task runs |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    text += [
        f"| {row.job} | {row.accounts:,} | {row.figures.wall_seconds:.1f}"
        f" | {row.figures.cpu_seconds:.1f} | {row.figures.server_cpu_seconds:.1f}"
        f" | {row.figures.task_runs} |"
        for row in rows
    ]
    write_down("orchestration", figures, "\n".join([*text, "", *conclusions(rows), ""]))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench orchestration", description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--full", action="store_true", help=f"{FULL_ACCOUNTS:,} accounts as well")
    parser.add_argument("--repeat", type=int, default=3, help="of the small one; the best counts")
    return parser
