"""The night at scale: who is to be reminded, beside one bare statement that asks who owes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measuring import Figures, how_many_times, measure
from bench.nights.jobs import AGAIN, BARE, LOOK, ONE_IN, SELECT
from bench.plotting import bars
from bench.writing import machine, memory_disk, write_down

UNITS = "Microseconds of CPU an account"
MOST_TIMES = 4  # of the bare statement's CPU, that the selection may take
SMALL, FULL = 20_000, 200_000


@dataclass(frozen=True)
class Row:
    """One job of one size; of several runs the one that took the least CPU."""

    job: str
    accounts: int
    figures: Figures


def main(arguments: list[str]) -> None:
    """Measure each job at each size; write the results of a full run."""
    told = _options().parse_args(arguments)
    rows = []
    with TemporaryDirectory(prefix="billclose-nightly-", dir=memory_disk()) as folder:
        for accounts in (SMALL, FULL) if told.full else (SMALL,):
            for job in (BARE, SELECT, LOOK, AGAIN):
                rows.append(Row(job, accounts, _best(job, accounts, Path(folder), told.runs)))
                print(line(rows[-1]), flush=True)
    print("\n".join(conclusions(rows)))
    if told.full:
        write_results(rows)


def _best(job: str, accounts: int, folder: Path, runs: int) -> Figures:
    """Run a job some times, each in a process and on books of its own."""
    found = []
    for _ in range(runs):
        with TemporaryDirectory(dir=folder) as place:
            found.append(measure("bench.nights.jobs", job, accounts, Path(place)))
    return min(found, key=lambda figures: figures.cpu_seconds)


def line(row: Row) -> str:
    found = row.figures
    return (
        f"{row.job:22} {row.accounts:8,} {found.wall_seconds:8.2f} s {found.cpu_seconds:8.2f} s CPU"
        f" {cpu_us(row):7.2f} us {found.peak_megabytes:5.0f} MB"
    )


def cpu_us(row: Row) -> float:
    return 1_000_000 * row.figures.cpu_seconds / row.accounts


def write_results(rows: list[Row]) -> None:
    groups = {
        f"{row.accounts:,} accounts": [
            (other.job, cpu_us(other)) for other in rows if other.accounts == row.accounts
        ]
        for row in rows
    }
    figures = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    write_down("nightly", figures, table(rows), bars(groups, UNITS))


def table(rows: list[Row]) -> str:
    text = [
        "# Reminding",
        "",
        f"SQLite in memory where the machine has a file system there; {machine()}.",
        f"Everybody owes money. Of every {ONE_IN} accounts one is on hold, and one has a bill that"
        f" came back. `{BARE}` is one statement, written by hand, that fetches who owes and knows"
        f" no reason against reminding. `{SELECT}` is what `remind` asks: holds, waived checks,"
        f" payments under way and our own failures included. `{LOOK}` adds the addresses and asks"
        f" the outbox; `{AGAIN}` finds all of it recorded.",
        "",
        "| job | accounts | seconds | CPU seconds | CPU us an account | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        found = row.figures
        text.append(
            f"| {row.job} | {row.accounts:,} | {found.wall_seconds:,.2f} | {found.cpu_seconds:,.2f}"
            f" | {cpu_us(row):,.2f} | {found.peak_megabytes:,.0f} |"
        )
    return "\n".join([*text, "", *conclusions(rows), ""])


def conclusions(rows: list[Row]) -> Iterator[str]:
    """Say how far from the bare statement the selection is."""
    known = {(row.job, row.accounts): row for row in rows}
    for (job, accounts), row in known.items():
        if job == SELECT:
            times = how_many_times(
                row.figures.cpu_seconds, known[BARE, accounts].figures.cpu_seconds
            )
            verdict = "within" if times <= MOST_TIMES else "NOT within"
            yield (
                f"- {SELECT}, {accounts:,} accounts: {times:.1f} times the bare statement,"
                f" {verdict} {MOST_TIMES} times."
            )


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench nightly", description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} accounts, and write results")
    parser.add_argument("--runs", type=int, default=3, help="of each job; the best one counts")
    return parser
