"""What was measured of whole closes, as JSON, as a table that says what it means, as a plot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bench.close.figures import Closed, Figures, StepTime, Times
from bench.measuring import how_many_times
from bench.plotting import bars
from bench.writing import machine, write_down
from domain.steps import Step

UNITS = "Milliseconds an account, step by step"
HEAVY = (Step.SPLIT.value, Step.SEND.value)


def line(closed: Closed, step: StepTime) -> str:
    rate = closed.accounts / step.seconds if step.seconds else 0
    beside = f"{step.seconds / step.least:6.1f} times the least" if step.least else ""
    return (
        f"{closed.engine:10} {closed.accounts:8,} {step.name:26} {step.seconds:8.2f} s"
        f" {rate:10,.0f} accounts a second {beside}"
    )


def write_results(figures: Figures, folder: Path) -> None:
    load = f"load {os.getloadavg()[2]:.1f} in the last quarter of an hour"
    office = f"{machine()}, {load}"
    told = {"machine": office, **asdict(figures)}
    write_down("close", told, "\n".join(_table(figures, office)), _plot(figures), folder)


def _plot(figures: Figures) -> str:
    groups = {
        f"{closed.accounts:,} accounts, {closed.engine}": [
            (step.name, 1000 * step.seconds / closed.accounts) for step in closed.steps
        ]
        for closed in figures.closes
    }
    longest = max(value for group in groups.values() for _, value in group)
    return bars(groups, UNITS, longest=longest)


def _table(figures: Figures, office: str) -> Iterator[str]:
    yield "# The whole close"
    yield ""
    yield (
        f"{office}. Invented cities, closed by `billclose close` in a process of its own, with a"
        " Prefect server that it starts, mails to smtp-sink over loopback. `least` is the same"
        " rows by executemany or COPY, the same bytes by `write()`, the checks' bare SQL, one"
        " INSERT … SELECT, smtp-source with mails of the mean size; measured after each close."
        " What processes hold is looked at ten times a second; the largest process is the"
        " system's own word."
    )
    for closed in figures.closes:
        yield from _of_close(closed)
    yield from _across_sizes(figures.closes)
    yield from _pairs(figures.history, "A year of history", "without", "with 12 closed periods")
    if figures.history:
        yield ""
        yield "Lists: seconds of CPU, start-up included, the least of five; both homes in turn."
    yield from _pairs(figures.processes, "One process and two", "one", "two")
    yield from _of_starts(figures.starts)


def _of_close(closed: Closed) -> Iterator[str]:
    yield ""
    yield f"## {closed.accounts:,} accounts on {closed.engine}"
    yield ""
    yield (
        f"{closed.bills:,} bills, {closed.mails:,} mails: {closed.wall_seconds:,.1f} s in all,"
        f" {closed.cpu_seconds:,.1f} s of CPU, largest process {closed.peak_megabytes:,.0f} MB;"
        f" {closed.before:.1f} s before the first step."
    )
    yield ""
    yield (
        "| step | seconds | accounts a second | share | least, seconds | times the least"
        " | the close's own process, MB | largest other, MB |"
    )
    yield f"| --- |{' ---: |' * 7}"
    for step in closed.steps:
        rate = f"{closed.accounts / step.seconds:,.0f}" if step.seconds else ""
        least = f"{step.least:.2f}" if step.least else ""
        times = f"{step.seconds / step.least:.1f}" if step.least else ""
        share = step.seconds / closed.in_steps
        held = f"{step.own_megabytes:,.0f} | {step.other_megabytes:,.0f}"
        yield (
            f"| {step.name} | {step.seconds:.2f} | {rate} | {share:.0%} | {least} | {times}"
            f" | {held} |"
        )
    heavy = sum(closed.seconds_of(name) for name in HEAVY) / closed.in_steps
    yield ""
    yield f"Splitting and mailing take {heavy:.0%} of the steps, everything else {1 - heavy:.0%}."


def _across_sizes(closes: list[Closed]) -> Iterator[str]:
    """Say how the cost of an account grows with the city."""
    pairs = [
        (small, large)
        for small in closes
        for large in closes
        if small.engine == large.engine and large.accounts == 10 * small.accounts
    ]
    for small, large in pairs:
        yield ""
        yield f"## {large.accounts:,} beside {small.accounts:,} accounts on {large.engine}"
        yield ""
        yield "| step | seconds an account, times |"
        yield "| --- | ---: |"
        for step in large.steps:
            before = small.seconds_of(step.name)
            if before >= 0.05:  # what takes less is rounding
                yield f"| {step.name} | {how_many_times(step.seconds / 10, before):.2f} |"
        yield f"| all steps | {how_many_times(large.in_steps / 10, small.in_steps):.2f} |"


def _pairs(times: list[Times], title: str, one: str, other: str) -> Iterator[str]:
    if not times:
        return
    yield ""
    yield f"## {title}"
    yield ""
    yield f"| | {one}, seconds | {other}, seconds | times |"
    yield "| --- | ---: | ---: | ---: |"
    for found in times:
        before, after = found.seconds[0], found.seconds[-1]
        times = how_many_times(after, before)
        if before >= 0.05:
            yield f"| {found.name} | {before:.2f} | {after:.2f} | {times:.2f} |"


def _of_starts(times: list[Times]) -> Iterator[str]:
    yield ""
    yield "## Start-up"
    yield ""
    yield "| command | CPU seconds, least of three |"
    yield "| --- | ---: |"
    for found in times:
        yield f"| billclose {found.name} | {min(found.seconds):.2f} |"
    yield ""
