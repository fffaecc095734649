"""A database on PostgreSQL that is emptied for one test after the other."""

from __future__ import annotations

import os
from contextlib import ExitStack

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.ledger.guards import FIXED
from database.schema import metadata

_TABLES = [table.name for table in reversed(metadata.sorted_tables)]  # what refers to others first
_HOLDS_ROWS = " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in _TABLES
)
_COUNT_ANEW = "SELECT " + ", ".join(
    f"setval('{table.name}_{table.autoincrement_column.name}_seq', 1, false)"
    for table in metadata.sorted_tables
    if table.autoincrement_column is not None
)
_END_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> ALL (%s) AND datname = current_database()"""
_GUARDED = {"audit", "activity", "text_consent", *FIXED}
_NOTHING_HELD = "SELECT pg_advisory_unlock_all()"


class UsedPostgres:
    """
    Empties the database at `url`, and hands it to one test after the other.

    Its connection stays, and the books' own: a new one would learn of every table again, which
    takes PostgreSQL longer than most tests. What holds no row is not touched.
    """

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, pool_size=1, max_overflow=0)
        self._books = Database(url)
        # A test that needs one connection finds the same one each time.
        self._books.engine.pool._pool.use_lifo = True  # type: ignore[attr-defined]

    def books(self) -> Database:
        """Return the books: with listeners of their own, and connections that are kept."""
        books = Database(self._books.url)
        books._engines = {os.getpid(): self._books.engine.execution_options()}
        return books

    def empty(self) -> None:
        """
        Delete what an earlier test left, its forgotten connections first.

        Where it migrated the tables or dropped them they are made anew.
        """
        kept = self._kept()
        with self._engine.begin() as connection:
            connection.exec_driver_sql(_END_OTHERS, ([_number(connection), *kept],))
            if set(sa.inspect(connection).get_table_names()) == set(metadata.tables):
                _delete_rows(connection)
                return
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            metadata.create_all(connection)

    def close(self) -> None:
        self._engine.dispose()
        self._books.close()

    def _kept(self) -> list[int]:
        """
        Return the books' connections, unless a test has left one in use.

        Going back to the pool they are rolled back, whereupon the driver forgets what it prepared.
        """
        pool = self._books.engine.pool
        if pool.checkedout():
            self._books.engine.dispose()
            return []
        with ExitStack() as taken:
            idle = [
                taken.enter_context(self._books.engine.connect()) for _ in range(pool.checkedin())
            ]
            for connection in idle:
                connection.exec_driver_sql(_NOTHING_HELD)
            return [_number(connection) for connection in idle]


def _number(connection: Connection) -> int:
    """Return PostgreSQL's number of the process that serves a connection."""
    number: int = connection.connection.driver_connection.info.backend_pid
    return number


def _delete_rows(connection: Connection) -> None:
    filled = connection.exec_driver_sql(_HOLDS_ROWS).scalars().all()
    statements = [f'DELETE FROM "{name}"' for name in filled]
    for name in _GUARDED.intersection(filled):  # they let nothing go
        statements.insert(0, f"ALTER TABLE {name} DISABLE TRIGGER USER")
        statements.append(f"ALTER TABLE {name} ENABLE TRIGGER USER")
    if statements:
        connection.exec_driver_sql("; ".join(statements))
    connection.exec_driver_sql(_COUNT_ANEW)
