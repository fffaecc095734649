"""Days of the rounds: how often was looked, had work and failed, by the utility's days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.inserting import insert_or_update
from database.tables import look_day

KEPT = timedelta(days=400)
HALF_A_DAY = timedelta(hours=12)


def count_look(
    books: Connection, look: str, day: date, *, started: bool, failed: bool, gap_seconds: int
) -> None:
    """Count one look of a day, in the transaction that writes it down."""
    where = (look_day.c.look == look, look_day.c.day == day)
    before = books.execute(sa.select(look_day).where(*where).with_for_update()).one_or_none()
    values = {
        "looks": 1 + (before.looks if before else 0),
        "starts": started + (before.starts if before else 0),
        "failures": failed + (before.failures if before else 0),
        "longest_gap_seconds": max(gap_seconds, before.longest_gap_seconds if before else 0),
    }
    row = insert_or_update(books.dialect.name, look_day).values(look=look, day=day, **values)
    books.execute(row.on_conflict_do_update(index_elements=["look", "day"], set_=values))


def read_day(database: Database, day: date) -> list[Any]:
    """Return what the looks of a day came to, by name."""
    query = sa.select(look_day).where(look_day.c.day == day).order_by(look_day.c.look)
    with database.reading() as books:
        return list(books.execute(query))


def forget_days(database: Database, today: date) -> int:
    """Delete the days that nobody asks for any more; return how many rows."""
    with database.writing() as books:
        gone = books.execute(look_day.delete().where(look_day.c.day < today - KEPT))
        return int(gone.rowcount)


def day_told_at(now: datetime, zone: str) -> date:
    """Return the day that is told of: this one in the evening, and yesterday after a late start."""
    return (now.astimezone(ZoneInfo(zone)) - HALF_A_DAY).date()
