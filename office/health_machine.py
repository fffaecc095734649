"""Is this machine fit: room on its disks, and a clock that agrees with others."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from domain.words import say_count
from office.health_condition import Condition, or_well, trouble, unwatched
from office.health_looking import Looking

GIGABYTE = 1_000_000_000
FEWEST_FILES = 1_000
EASED = 1.2  # what was full is well again only with so much more room: no mails to and fro
WORDS = {"home": "the home", "temp": "temporary files", "bills": "the bill store"}
Offsets = dict[str, timedelta]  # how far this machine's clock is ahead of whose


def full_disks(looking: Looking) -> list[Condition]:
    """Find the disks of the home, the bill store and temporary files that have little room."""
    return or_well("disk-nearly-full", _full(looking), "The disks have room.")


def _full(looking: Looking) -> Iterator[Condition]:
    least = looking.here.settings.health.disk_free_gb * GIGABYTE
    seen = set()
    for place, path in _places(looking).items():
        device = path.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        found = os.statvfs(path)
        free = found.f_bavail * found.f_frsize
        was_full = f"disk-nearly-full/{place}" in looking.known
        no_names = bool(found.f_files) and found.f_favail < FEWEST_FILES
        if no_names or free < least * (EASED if was_full else 1):
            left = "hardly a file" if no_names else f"{free / GIGABYTE:.1f} GB"
            yield trouble(
                "disk-nearly-full",
                place,
                looking.now,
                f"The disk of {WORDS[place]} has room for {left}.",
                "Ask IT for room on it; a close of many bills needs gigabytes, and stops without "
                "harm where they are missing.",
            )


def _places(looking: Looking) -> dict[str, Path]:
    here = looking.here
    places = {"home": here.home, "temp": Path(tempfile.gettempdir())}
    if "://" not in here.settings.bills.store:
        places["bills"] = here.home / here.settings.bills.store
    return {name: path for name, path in places.items() if path.exists()}


def database_offset(looking: Looking) -> Offsets:
    """Compare with the database server's clock; SQLite has none of its own."""
    if looking.here.database.is_sqlite:
        return {}
    wall = looking.here.clock.wall
    with looking.here.database.reading() as books:
        before = wall()
        theirs: datetime = books.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        after = wall()
    return {"the database server": before + (after - before) / 2 - theirs}


def clock_off(looking: Looking, offsets: Offsets) -> list[Condition]:
    """
    Tell whether this machine's clock is off, against whoever could be asked.

    What is due, and on which day, is decided by it; not every machine is set by the network.
    """
    tolerance = timedelta(seconds=looking.here.settings.health.clock_seconds)
    off = {whose: ahead for whose, ahead in offsets.items() if abs(ahead) > tolerance}
    if not offsets:
        return unwatched("clock-off", "No other clock could be asked; see health.clock_url.")
    if not off:
        whose = ", ".join(offsets)
        return or_well("clock-off", (), f"The clock agrees with that of {whose}.")
    whose, ahead = max(off.items(), key=lambda one: abs(one[1]))
    side = "ahead of" if ahead > timedelta(0) else "behind"
    detail = f"This machine's clock is {_say(abs(ahead))} {side} that of {whose}."
    remedy = (
        "Ask IT which of the two is right, to set the other, and to keep it set (on Debian: "
        "apt install systemd-timesyncd); until then look twice at what is drawn and sent."
    )
    return [trouble("clock-off", "", looking.now, detail, remedy, looking.grace)]


def _say(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    if seconds < 120:
        return say_count(seconds, "second")
    minutes = seconds // 60
    return say_count(minutes, "minute") if minutes < 120 else say_count(minutes // 60, "hour")
