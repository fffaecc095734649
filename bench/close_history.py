"""A year of closed periods: the rows of one that was closed, again under older names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from bench.close_city import PERIOD
from command_line.demo.export import to_period
from database.schema import metadata

MONTHS = 12


def add_history(database: Path, closed: Path) -> None:
    """Put the rows of a closed period into an empty database, as the twelve months before it."""
    with closing(sqlite3.connect(database)) as books:
        books.execute("PRAGMA foreign_keys=OFF")
        books.execute("ATTACH ? AS closed", (str(closed),))
        guards = books.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        dropped = guards.fetchall()
        for name, _ in dropped:
            books.execute(f'DROP TRIGGER "{name}"')
        for run in months_before(PERIOD):
            _copy_run(books, run)
        for _, statement in dropped:
            books.execute(statement)
        books.commit()
        books.execute("DETACH closed")
        books.execute("ANALYZE")


def months_before(period: str) -> Iterator[str]:
    year, month = map(int, period.split("-"))
    for back in range(MONTHS, 0, -1):
        at = year * 12 + month - 1 - back
        yield f"{at // 12}-{at % 12 + 1:02d}"


def _copy_run(books: sqlite3.Connection, run: str) -> None:
    for table in metadata.sorted_tables:
        if "run" not in table.c:
            continue
        columns = [column for column in table.c if column.name != "id"]
        names = ", ".join(f'"{column.name}"' for column in columns)
        values = ", ".join(_renamed(column, run) for column in columns)
        books.execute(
            f'INSERT OR REPLACE INTO "{table.name}" ({names})'  # a balance has one row, the newest
            f' SELECT {values} FROM closed."{table.name}" WHERE run = ?',
            (PERIOD,),
        )
    dates = to_period(run)
    books.execute(
        "UPDATE bill_run SET starts_on = ?, ends_on = ?, due_on = ? WHERE run = ?",
        (dates.starts_on.isoformat(), dates.ends_on.isoformat(), dates.due_on.isoformat(), run),
    )


def _renamed(column: sa.Column[object], run: str) -> str:
    """Write the period's name in a text as the older one's, and keep unique texts unique."""
    if column.name in ("message_id", "token"):
        return f"{column.name} || '.{run}'"
    is_text = isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum)
    return f"replace(\"{column.name}\", '{PERIOD}', '{run}')" if is_text else f'"{column.name}"'
