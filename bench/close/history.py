"""A year of closed periods: the rows of one that was closed, again under older names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from bench.close.city import PERIOD
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
        for period in months_before(PERIOD):
            _copy_run(books, period)
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


def _copy_run(books: sqlite3.Connection, period: str) -> None:
    for table in metadata.sorted_tables:
        if "period" not in table.c:
            continue
        columns = [column for column in table.c if column.name != "id"]
        names = ", ".join(f'"{column.name}"' for column in columns)
        values = ", ".join(_renamed(column, period) for column in columns)
        books.execute(
            f'INSERT OR REPLACE INTO "{table.name}" ({names})'  # a balance has one row, the newest
            f' SELECT {values} FROM closed."{table.name}" WHERE period = ?',
            (PERIOD,),
        )
    dates = to_period(period)
    books.execute(
        "UPDATE bill_run SET starts_on = ?, ends_on = ?, due_on = ? WHERE period = ?",
        (dates.starts_on.isoformat(), dates.ends_on.isoformat(), dates.due_on.isoformat(), period),
    )


def _renamed(column: sa.Column[object], period: str) -> str:
    """Write the period's name in a text as the older one's, and keep unique texts unique."""
    if column.name in ("message_id", "token"):
        return f"{column.name} || '.{period}'"
    is_text = isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum)
    return f"replace(\"{column.name}\", '{PERIOD}', '{period}')" if is_text else f'"{column.name}"'
