"""Money at scale: scheduling beside one INSERT … SELECT, and collecting against the sandbox."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measuring import Figures, how_many_times, measure
from bench.money.jobs import COLLECT, LIMIT, SCHEDULE
from bench.plotting import bars
from bench.writing import machine, memory_disk, write_down

FEW, MANY = (20_000, 3_000), (200_000, 50_000)  # accounts to schedule, payments to collect
ROUNDS = 3  # of this version and another in turn
UNITS = "Milliseconds of CPU a payment"


@dataclass(frozen=True)
class Row:
    """One job of one size."""

    job: str
    payments: int
    figures: Figures


def main(arguments: list[str]) -> None:
    """Measure each job at its size and at a tenth of it, and write the results."""
    told = _options().parse_args(arguments)
    rows, pairs = [], []
    with TemporaryDirectory(prefix="billclose-money-", dir=memory_disk()) as folder:
        for job, payments in plan(told):
            place = Path(folder) / f"{job}-{payments}"
            place.mkdir()
            figures = measure("bench.money.jobs", job, payments, place)
            rows.append(Row(job, payments, figures))
            print(line(rows[-1]), flush=True)
        if told.beside is not None:
            pairs = list(beside(told, Path(folder)))
    write_results(rows, pairs)


@dataclass(frozen=True)
class Pair:
    """One job of one size by this version and by another; each took its turns."""

    job: str
    payments: int
    ours: list[float]  # seconds of CPU, a turn each
    others: list[float]

    @property
    def times(self) -> float:
        """How many times the other's CPU this version takes."""
        return how_many_times(sum(self.ours), sum(self.others))


def beside(told: argparse.Namespace, folder: Path) -> Iterator[Pair]:
    """Measure what decides and draws in this version and in another one, turn by turn."""
    for job, payments in list(plan(told))[3::2]:
        pair = Pair(job, payments, [], [])
        for turn in range(ROUNDS):
            for checkout, seconds in ((told.beside, pair.others), (None, pair.ours)):
                place = folder / f"{job}-{turn}-{checkout is None}"
                place.mkdir()
                figures = measure("bench.money.jobs", job, payments, place, checkout)
                seconds.append(figures.cpu_seconds)
        print(in_words(pair), flush=True)
        yield pair


def in_words(pair: Pair) -> str:
    return (
        f"{pair.job}, {pair.payments:,} payments, {ROUNDS} turns: {sum(pair.ours):.1f} s of CPU"
        f" against the other version's {sum(pair.others):.1f} s, {pair.times:.2f} times."
    )


def plan(told: argparse.Namespace) -> Iterator[tuple[str, int]]:
    sizes = MANY if told.full else FEW
    accounts, payments = told.accounts or sizes[0], told.payments or sizes[1]
    for job, most in ((LIMIT, accounts), (SCHEDULE, accounts), (COLLECT, payments)):
        yield job, most // 10
        yield job, most


def line(row: Row) -> str:
    found = row.figures
    return (
        f"{row.job:22} {row.payments:8,} {found.wall_seconds:8.2f} s {found.cpu_seconds:8.2f} s CPU"
        f" {cpu_ms(row):7.3f} ms {row.payments / found.wall_seconds:9,.0f} a second"
        f" {found.peak_megabytes:5.0f} MB"
    )


def cpu_ms(row: Row) -> float:
    return 1000 * row.figures.cpu_seconds / row.payments


def write_results(rows: list[Row], pairs: list[Pair]) -> None:
    groups = {
        f"{row.payments:,} payments": [
            (other.job, cpu_ms(other)) for other in rows if other.payments == row.payments
        ]
        for row in rows
    }
    figures = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    figures["beside"] = [asdict(pair) for pair in pairs]
    write_down("money", figures, table(rows, pairs), bars(groups, UNITS))


def table(rows: list[Row], pairs: list[Pair]) -> str:
    text = [
        "# Scheduling and collecting",
        "",
        f"SQLite in memory where the machine has a file system there; {machine()}.",
        f"`{LIMIT}` is the least that any scheduling can do: one statement that writes the rows."
        " `schedule` sorts every account and mandate into situations, decides each of these in"
        f" Python by the rules, and writes plan and payments. `{COLLECT}` claims, announces,"
        " records, draws and records again, against the sandbox gateway, whose own work in the same"
        " process is included.",
        "",
        "| job | payments | seconds | CPU seconds | CPU ms a payment | a second | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        found = row.figures
        text.append(
            f"| {row.job} | {row.payments:,} | {found.wall_seconds:,.2f} | {found.cpu_seconds:,.2f}"
            f" | {cpu_ms(row):,.3f} | {row.payments / found.wall_seconds:,.0f}"
            f" | {found.peak_megabytes:,.0f} |"
        )
    compared = [f"- {in_words(pair)}" for pair in pairs]
    return "\n".join([*text, "", *conclusions(rows), *compared, ""])


def conclusions(rows: list[Row]) -> Iterator[str]:
    """Say how cost grows, and how far from the limit scheduling is."""
    known = {(row.job, row.payments): row for row in rows}
    for (job, payments), row in known.items():
        more = known.get((job, payments * 10))
        if more is not None:
            yield (
                f"- {job}: {payments * 10:,} against {payments:,}:"
                f" {how_many_times(cpu_ms(more), cpu_ms(row)):.2f} times the CPU a payment."
            )
        limit = known.get((LIMIT, payments))
        if job == SCHEDULE and limit is not None:
            times = how_many_times(row.figures.cpu_seconds, limit.figures.cpu_seconds)
            yield f"- schedule, {payments:,} accounts: {times:.1f} times {LIMIT}."


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench money", description=__doc__)
    parser.add_argument("--accounts", type=int, help=f"to schedule, at most: {FEW[0]:,}")
    parser.add_argument("--payments", type=int, help=f"to collect, at most: {FEW[1]:,}")
    parser.add_argument("--beside", type=Path, help="another checkout, measured in turn with this")
    parser.add_argument("--full", action="store_true", help=f"{MANY[0]:,} and {MANY[1]:,} instead")
    return parser
