"""The splitter beside its peers: the same bulk files, the same work, in one run."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.measuring import how_many_times
from bench.plotting import bars
from bench.splitter.bulk_files import bulk_file
from bench.splitter.jobs import OURS, Measured, measure
from bench.splitter.peers import PEERS, PROCESS_BILLS, PROGRAMS, is_installed
from bench.splitter.producers import PRODUCERS
from bench.writing import RESULTS, machine, memory_disk, write_down

MOST_BILLS = {"weasyprint": 300}  # most peers need time that grows with the square of it there
IN_PROCESS = ("pypdfium2", "pikepdf")
PYPDF_BILLS = 100  # it takes some 40 ms a bill
LARGE_PAGES = 100_000
LARGE_MEGABYTES = "large_megabytes"  # its figure, which is kept where it is not measured again
ROOM_BYTES = 12 * 1024**3  # for all copies of a run and the same bytes again
ONE, TWO, READ_BACK, READ_BACK_TWO = OURS
UNITS = "Milliseconds of CPU a bill: accounts found, bills grouped, one file a customer."


@dataclass(frozen=True, slots=True)
class Row:
    producer: str
    job: str
    bulk_bills: int
    measured: Measured


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench splitter", description=__doc__)
    parser.add_argument("--bills", type=int, default=2000)
    parser.add_argument("--many-bills", type=int, default=20_000, help="0: leave that part out")
    parser.add_argument("--producer", action="append", choices=list(PRODUCERS))
    parser.add_argument("--large", action="store_true", help=f"also {LARGE_PAGES:,} pages")
    parser.add_argument("--repeat", type=int, default=3, help="the middle one counts")
    parser.add_argument(
        "--to", type=Path, default=memory_disk(ROOM_BYTES), help="where copies are written"
    )
    told = parser.parse_args(arguments)

    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="billclose-bench-", dir=told.to) as folder:
        for number, (producer, job, bills) in enumerate(plan(told)):
            file = bulk_file(producer, bills)
            if file is None:
                print(f"{producer}: not installed")
                continue
            times = told.repeat if job in (ONE, READ_BACK, *IN_PROCESS) and bills <= 2000 else 1
            runs = [measure(job, file, Path(folder) / f"{number}-{run}") for run in range(times)]
            rows.append(Row(producer, job, bills, middle(runs)))
            print(line(rows[-1]), flush=True)
    write_results(rows)


def middle(runs: list[Measured]) -> Measured:
    """Return the run with the middle CPU time: one run's may be twice another's."""
    return sorted(runs, key=lambda run: run.cpu_seconds)[len(runs) // 2]


def plan(told: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    """Yield what is measured: producer, job, bills."""
    for producer in told.producer or PRODUCERS:
        bills = min(told.bills, MOST_BILLS.get(producer, told.bills))
        for job in (ONE, READ_BACK, *IN_PROCESS):
            yield producer, job, bills
        yield producer, "pypdf", min(bills, PYPDF_BILLS)
    for program in filter(is_installed, PROGRAMS):
        yield "reportlab", program, told.bills
    for job in (TWO, READ_BACK_TWO):
        yield "reportlab", job, told.bills
    if told.many_bills:
        for job in (ONE, TWO, READ_BACK_TWO):
            yield "reportlab", job, told.many_bills
    if told.large:
        yield "large", ONE, LARGE_PAGES // 2


def line(row: Row) -> str:
    found = row.measured
    return (
        f"{row.producer:15} {row.bulk_bills:6,} {row.job:34} {found.cpu_ms:9.2f} ms"
        f" {found.wall_seconds:7.1f} s {found.bytes_a_bill:8,} B {found.peak_megabytes:5.0f} MB"
        f" {found.times_plain_write:6.1f} x write()"
    )


def write_results(rows: list[Row]) -> None:
    """Write the figures as JSON, as a table and as a plot, which the README shows."""
    large = megabytes_of_large(rows)
    figures = {"machine": machine(), "rows": [asdict(row) for row in rows], LARGE_MEGABYTES: large}
    write_down("splitter", figures, table(rows, large), plot(rows))


def megabytes_of_large(rows: list[Row]) -> int | None:
    """Return the largest process's memory for LARGE_PAGES; where it was left out, as last time."""
    for row in rows:
        if row.producer == "large":
            return round(row.measured.peak_megabytes)
    last = RESULTS / "splitter.json"
    found = json.loads(last.read_text()).get(LARGE_MEGABYTES) if last.exists() else None
    return None if found is None else int(found)


def table(rows: list[Row], large: int | None = None) -> str:
    text = [
        "# The splitter beside its peers",
        "",
        f"{UNITS} {machine()}. Start of the interpreter and all child processes are included;"
        f" programs that start a process for each bill did {PROCESS_BILLS} bills. Files are written"
        " to memory where the machine has a file system there.",
        "`billclose` does the peers' work; `read back` opens every copy again with a second"
        " library and audits it, which no peer does.",
        "",
        "| bulk file by | bills | with | CPU ms a bill | seconds | bytes a bill | peak MB"
        " | times plain write() |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        found = row.measured
        text.append(
            f"| {row.producer} | {row.bulk_bills:,} | {row.job} | {found.cpu_ms:,.2f}"
            f" | {found.wall_seconds:,.1f} | {found.bytes_a_bill:,} | {found.peak_megabytes:,.0f}"
            f" | {found.times_plain_write:,.1f} |"
        )
    told = [*conclusions(rows)]
    if large is not None:
        told.append(f"- A file of {LARGE_PAGES:,} pages: {large:,} MB in the largest process.")
    return "\n".join([*text, "", *told, ""])


def conclusions(rows: list[Row]) -> Iterator[str]:
    """Say how cost grows with the file, and what a second process is worth."""
    known = {(row.producer, row.job, row.bulk_bills): row.measured for row in rows}
    for (producer, job, bills), found in known.items():
        more = known.get((producer, job, bills * 10))
        if more is not None and job in OURS:
            yield (
                f"- {job}, {bills * 10:,} bills against {bills:,}:"
                f" {how_many_times(more.cpu_ms, found.cpu_ms):.2f} times the CPU a bill."
            )
        two = known.get((producer, f"{job}, 2 processes", bills))
        if two is not None:
            yield (
                f"- {job}, {bills:,} bills: two processes are"
                f" {how_many_times(found.wall_seconds, two.wall_seconds):.2f} times as fast as one."
            )


def plot(rows: list[Row]) -> str:
    """Draw CPU a bill for every producer; programs that start for each bill are off the scale."""
    chosen = [row for row in rows if row.job in (ONE, READ_BACK, *PEERS)]
    groups: dict[str, list[tuple[str, float]]] = {}
    for row in chosen:
        if row.bulk_bills <= 2000 and row.job not in PROGRAMS:
            groups.setdefault(row.producer, []).append((row.job, row.measured.cpu_ms))
    return bars(groups, UNITS)
