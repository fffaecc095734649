"""Inserting what may be there already."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection


def one_after_the_other(books: Connection, subject: str) -> None:
    """
    Wait for other processes that look at what a subject has and add to it, until they are done.

    What they added is read by the next statement. On SQLite but one transaction writes anyway.
    """
    if books.dialect.name == "postgresql":
        books.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(subject))))


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
    insert the same row in the same moment. SQLAlchemy keeps its text, which it does not of other
    inserts with ON CONFLICT: to make it anew takes longer than to insert the row.
    """
    made, clause = _kept(dialect)
    statement = made(table)
    statement._post_values_clause = clause()
    return statement


@cache
def _kept(dialect: str) -> tuple[Any, Any]:
    """Give an INSERT and an ON CONFLICT DO NOTHING of no columns: their kinds are their key."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import dml  # only here: it takes long to load
    else:
        from sqlalchemy.dialects.sqlite import dml  # type: ignore[no-redef]

    class NewRows(dml.Insert):
        inherit_cache = True

    class DoNothing(dml.OnConflictDoNothing):
        inherit_cache = True
        _traverse_internals: ClassVar[Any] = []  # type: ignore[misc]  # nothing but its kind

    return NewRows, DoNothing
