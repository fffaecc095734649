"""The books of a small closed period as the first release wrote them, for migrations to work on."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.migrating import migrate

FIRST = "0001"
ROWS: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("first_release.json").read_text(encoding="utf-8")
)


def load_first_release(database: Database) -> None:
    """Make the first release's tables in bare books, and put its rows into them."""
    migrate(database, FIRST)
    tables = tables_of(database)
    with database.writing() as books:
        for table in tables.sorted_tables:
            for row in ROWS.get(table.name, []):
                values = {name: _to_value(table.c[name], value) for name, value in row.items()}
                books.execute(table.insert().values(**values))
        if not database.is_sqlite:  # as if the rows had come one by one
            books.exec_driver_sql("SELECT setval('audit_id_seq', (SELECT max(id) FROM audit))")


def rows_by_table(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return what stands in the tables of the first release, as its file says it."""
    tables = tables_of(database)
    with database.reading() as books:
        return {
            name: [
                {column: _to_plain(value) for column, value in row._mapping.items()}
                for row in books.execute(sa.select(tables.tables[name]))
            ]
            for name in ROWS
        }


def tables_of(database: Database) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(database.engine)
    return found


def _to_value(column: sa.Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, sa.DateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if column.type.timezone else moment
    if isinstance(column.type, sa.Date):
        return date.fromisoformat(value)
    if isinstance(column.type, sa.JSON):
        return json.loads(value)
    return bool(value) if isinstance(column.type, sa.Boolean) else value


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None):%Y-%m-%d %H:%M:%S.%f}"
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value
