"""Nights of `billclose up`: what it, its Prefect server and that one's database hold after each."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from bench.quarter.clock import MovedClock, machine_now
from bench.quarter.office_up import BILLCLOSE, VACUUM_SECONDS, Measured, OfficeUp
from bench.writing import RESULTS, machine, write_down
from command_line.commands.up import CHANGES_LOOKS, LOOK_SECONDS
from command_line.demo.city_hall import CityHall
from command_line.demo.demo import AS_OF
from command_line.demo.export import TIMEZONE, UTILITY, write_demo_city
from deployments.calendar import calendar
from domain.words import say_count
from office.clock import Clock
from office.equipment.office import Office
from office.prefect_server.changes import LARGEST_BYTES, PATIENCE_SECONDS
from office.settings.settings import open_settings

NIGHTS, KEEP_DAYS, ACCOUNTS = 90, 5, 500
EVENT_DAYS = 7  # that a Prefect server keeps events
ZONE = ZoneInfo(TIMEZONE)
FEED_AT, CLOSE_AT, CLOSES_ON = time(5), time(10), 2  # local times; the day of a month
SATURDAY = 5
CLOSED = (0, 4)  # 4: it is done, and something needs a person
AFTER = 5  # seconds after a run is due: it is looked for every two
FLAT = 0.05  # of what is held, that the second half may be above the first
LOG_MEGABYTES_A_SECOND = 2.0  # into the log of changes; at the busiest 20.5 were seen in 12 s
SHOWN = 10  # nights between two rows of the table, after the first ones
FEED = "take-in-feed"


@dataclass(frozen=True, slots=True)
class Night:
    """One night: how its runs ended, what a close that day came to, and what is held after it."""

    number: int
    day: date
    states: dict[str, str]
    closed: int | None  # the exit status of a close; None: none was due
    measured: Measured


def main(arguments: list[str]) -> None:
    """Live so many nights, or until Ctrl-C; write what was measured."""
    told = _options().parse_args(arguments)
    stopped: list[int] = []
    nights: list[Night] = []
    with TemporaryDirectory(prefix="billclose-nights-", dir=told.place) as name:
        folder = Path(name)
        home = make_home(folder, told.accounts)
        signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
        for night in live(folder, home, told.nights, told.keep_days, told.accounts):
            nights.append(night)
            print(line(night), flush=True)
            write_results(nights, told.keep_days, told.accounts, told.folder)
            if stopped:
                break
    print("\n".join(conclusions(nights, told.keep_days)))


def make_home(folder: Path, accounts: int) -> Path:
    """Make the demo's home, its month closed."""
    home = folder / "home"
    words = ["--home", str(home), "demo", "--accounts", str(accounts), "--days", "0"]
    subprocess.run([str(BILLCLOSE), *words], stdout=subprocess.DEVNULL, check=True)
    return home


def live(folder: Path, home: Path, count: int, keep_days: int, accounts: int) -> Iterator[Night]:
    """
    Yield the state before the first night, then after each.

    By day the feed comes, each nightly run is waited for, and on one day of a month the month
    before is closed.
    """
    clock, first = MovedClock(folder), AS_OF.date() + timedelta(days=1)
    planned = calendar(open_settings(home))
    runs = sorted((plan.schedule.at, plan.name) for plan in planned if plan.schedule is not None)
    clock.move_to(_local(first, FEED_AT))
    up = OfficeUp(home, clock, keep_days, folder / "up.log")
    city, closed_on = CityHall(home, UTILITY), AS_OF.date()
    try:
        up.wait_until_up(len(planned))
        yield Night(0, first - timedelta(days=1), {}, None, up.measure())
        for number in range(1, count + 1):
            day = first + timedelta(days=number - 1)
            states = {FEED: _take_in(up, clock, city, day, (day - closed_on).days)}
            states |= {name: _run(up, clock, name, day, at) for at, name in runs if at < CLOSE_AT}
            status = None
            if _may_close(day, closed_on):
                clock.move_to(_local(day, CLOSE_AT))
                status = _close(up, folder, day, accounts)
                closed_on = day if status in CLOSED else closed_on
            states |= {name: _run(up, clock, name, day, at) for at, name in runs if at > CLOSE_AT}
            yield Night(number, day, states, status, up.measure())
    finally:
        city.close()
        up.stop()


def _may_close(day: date, closed_on: date) -> bool:
    """Tell whether the month before is to be closed: from its second day on, no weekend."""
    return day.day >= CLOSES_ON and day.weekday() < SATURDAY and day.month != closed_on.month


def _take_in(up: OfficeUp, clock: MovedClock, city: CityHall, day: date, since: int) -> str:
    """Let the billing system write its file, and the office take it in as its rounds would."""
    now = datetime.combine(day, FEED_AT)
    clock.move_to(_local(day, FEED_AT))
    office = Office(up.home, open_settings(up.home), Clock(machine_now, now), "bench")
    city.write_feed(office, since, now)
    office.database.close()
    up.start(FEED, f"{FEED} {day}")
    return up.wait_for_run(FEED, day, ZONE)


def _run(up: OfficeUp, clock: MovedClock, name: str, day: date, at: time) -> str:
    clock.move_to(_local(day, at) + timedelta(seconds=AFTER))
    return up.wait_for_run(name, day, ZONE)


def _close(up: OfficeUp, folder: Path, day: date, accounts: int) -> int:
    period = f"{day - timedelta(days=day.day):%Y-%m}"
    bundle = write_demo_city(folder / period, accounts=accounts, period=period)
    return up.run("close", str(bundle), "--yes")


def _local(day: date, at: time) -> datetime:
    return datetime.combine(day, at, ZONE)


def line(night: Night) -> str:
    held = night.measured
    odd = ", ".join(f"{name} {state}" for name, state in night.states.items() if _is_odd(state))
    closed = "" if night.closed is None else f"  a close ended as {night.closed}"
    return (
        f"{night.number:3} {night.day}"
        + "".join(f"  {name} {held.megabytes.get(name, 0):.1f} MB" for name in PROCESSES)
        + f"  database {held.database_megabytes:.1f} MB, free {held.free_megabytes:.1f}"
        + f"  runs {held.rows['flow_run']}  events {held.rows['events']}{closed}  {odd}"
    )


def _is_odd(state: str) -> bool:
    return state != "COMPLETED"


PROCESSES = ("up", "server", "serving")
_COLUMNS = (
    *("`up`, MB", "server, MB", "serving, MB", "Prefect's database, MB", "of it free"),
    *("its log of changes, MB", "flow runs", "task runs", "events", "logs", "books, MB"),
)


def write_results(nights: Sequence[Night], keep_days: int, accounts: int, folder: Path) -> None:
    figures = {
        "machine": machine(),
        "load": os.getloadavg()[1],
        "keep_days": keep_days,
        "accounts": accounts,
        "nights": [asdict(night) | {"day": night.day.isoformat()} for night in nights],
    }
    write_down("nights", figures, table(nights, keep_days, accounts), folder=folder)


def table(nights: Sequence[Night], keep_days: int, accounts: int) -> str:
    shown = [one for one in nights if one.number <= keep_days + EVENT_DAYS or _is_shown(one)]
    months = say_count(sum(night.closed in CLOSED for night in nights), "month")
    lines = [
        "# Nights of `billclose up`",
        "",
        f"The demo's home of {accounts:,} accounts after its close; `billclose up` as it is,",
        "with its Prefect server on SQLite. The clock of its processes is moved on from one of",
        "the night's runs to the next, and each is waited for. Each morning a file of the feed is",
        f"taken in; {months} closed on the way. `keep_days` is {keep_days} here, and the server",
        f"looks every {VACUUM_SECONDS} seconds for what is too old; an office's does each hour.",
        "What a server does in the hours between two runs is not in it.",
        f"{machine()}, load {os.getloadavg()[1]:.0f}.",
        "",
        f"| after night | {' | '.join(_COLUMNS)} |",
        f"| ---: {'| ---: ' * len(_COLUMNS)}|",
        *(_row(night) for night in shown),
        "",
        *conclusions(nights, keep_days),
        "",
    ]
    return "\n".join(lines)


def _is_shown(night: Night) -> bool:
    return night.number % SHOWN == 0 or night.closed is not None


def _row(night: Night) -> str:
    held = night.measured
    cells = [
        f"{night.number}{_say_close(night)}",
        *(f"{held.megabytes.get(name, 0):.1f}" for name in PROCESSES),
        f"{held.database_megabytes:.1f}",
        f"{held.free_megabytes:.1f}",
        f"{held.log_megabytes:.1f}",
        *(f"{held.rows[name]:,}" for name in ("flow_run", "task_run", "events", "log")),
        f"{held.books_megabytes:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _say_close(night: Night) -> str:
    if night.closed is None:
        return ""
    return " (a close)" if night.closed in CLOSED else " (a close that was refused)"


def conclusions(nights: Sequence[Night], keep_days: int) -> Iterator[str]:
    """Say of what should stand still whether it does, once what is old is deleted."""
    settled = [one for one in nights if one.number > keep_days + EVENT_DAYS]
    if len(settled) < 4:
        yield "- Too few nights to say what stands still."
        return
    half = len(settled) // 2
    first, second = settled[:half], settled[-half:]
    for what, read in _HELD.items():
        before, after = (max(read(one.measured) for one in part) for part in (first, second))
        verdict = "stands still" if after <= before * (1 + FLAT) else "GROWS"
        yield (
            f"- {what}: at most {before:,.1f} in nights {first[0].number} to {first[-1].number},"
            f" {after:,.1f} in nights {second[0].number} to {second[-1].number}: {verdict}."
        )
    yield _say_log(nights)
    yield from _say_tables(first, second)
    lived = [night for night in nights if night.states]
    odd = [f"{night.number} {name}" for night in lived for name, state in night.states.items()
           if _is_odd(state)]  # fmt: skip
    yield (
        f"- {sum(len(one.states) for one in lived):,} runs were waited for; not completed: "
        + (", ".join(odd) or "none")
        + "."
    )
    yield f"- CPU: {_cpu(nights)}."


def _say_log(nights: Sequence[Night]) -> str:
    """
    Hold the log of changes to its bound: its file never shrinks by itself, so it tells no growth.

    `up` empties it where it is too long, and between two of its looks it goes on.
    """
    seconds = CHANGES_LOOKS * LOOK_SECONDS + PATIENCE_SECONDS
    bound = LARGEST_BYTES / 1e6 + seconds * LOG_MEGABYTES_A_SECOND
    most = max(one.measured.log_megabytes for one in nights)
    verdict = "within" if most <= bound else "NOT within"
    return (
        f"- its log of changes, MB: at most {most:,.1f}, {verdict} the bound of {bound:,.1f}:"
        f" {LARGEST_BYTES / 1e6:,.1f}, above which `up` empties it, and what {seconds:.0f} seconds"
        f" between two looks write at {LOG_MEGABYTES_A_SECOND:,.1f} a second, more than was"
        " seen at the busiest."
    )


def _say_tables(first: Sequence[Night], second: Sequence[Night]) -> Iterator[str]:
    """Name the tables of Prefect's that have more rows in the end than they ever had before."""
    growing = []
    for name in sorted(second[-1].measured.rows):
        before, after = (
            max(one.measured.rows.get(name, 0) for one in part) for part in (first, second)
        )
        if after > before * (1 + FLAT):
            growing.append(f"{name} {before:,} to {after:,}")
    yield f"- Tables of Prefect's that grow: {', '.join(growing) or 'none'}."


def _cpu(nights: Sequence[Night]) -> str:
    before, after = nights[0].measured.cpu_seconds, nights[-1].measured.cpu_seconds
    count = max(1, nights[-1].number)
    parts = (f"{name} {(after[name] - before[name]) / count:.1f} s" for name in PROCESSES)
    return ", ".join(parts) + " a night, with the runs that serving starts"


_HELD: dict[str, Any] = {
    **{f"{name}, MB": lambda held, name=name: held.megabytes.get(name, 0.0) for name in PROCESSES},
    "Prefect's database, MB": lambda held: held.database_megabytes,
    "flow runs": lambda held: held.rows["flow_run"],
    "events": lambda held: held.rows["events"],
}


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench nights", description=__doc__)
    parser.add_argument("--nights", type=int, default=NIGHTS)
    parser.add_argument("--keep-days", type=int, default=KEEP_DAYS)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where results are written")
    parser.add_argument("--place", type=Path, help="where the home is made; it is removed")
    return parser
