"""Inserting what may be there already."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite


def insert_or_update(dialect: str, table: sa.Table) -> Any:
    """Begin an INSERT that may go on with `on_conflict_do_update`."""
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # only here: it takes long to load

    return postgresql.insert(table)


def insert_new(dialect: str, table: sa.Table) -> Any:
    """
    Begin an INSERT that passes over every row that is there, by any of its unique columns.

    It names no column: PostgreSQL raises for a unique index that is not named, when two machines
    insert the same row in the same moment.
    """
    return insert_or_update(dialect, table).on_conflict_do_nothing()
