"""A database on PostgreSQL that is emptied for one test after the other."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.ledger.guards import FIXED
from database.schema import metadata

_TABLES = [table.name for table in reversed(metadata.sorted_tables)]  # what refers to others first
_HOLDS_ROWS = " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in _TABLES
)
COUNTERS = [
    f"{table.name}_{table.autoincrement_column.name}_seq"
    for table in metadata.sorted_tables
    if table.autoincrement_column is not None
]
_COUNT_ANEW = "SELECT " + ", ".join(f"setval('{name}', 1, false)" for name in COUNTERS)
_COUNTED = """SELECT sequencename, last_value FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL ORDER BY sequencename"""
_NAMES = """SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"""
_END_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> ALL (%s) AND datname = current_database()"""
_GUARDED = {"audit", "activity", "text_consent", *FIXED}
_NOTHING_HELD = "SELECT pg_advisory_unlock_all()"
# No trigger fires for whoever repeats what happened elsewhere, and none need be taken off: that
# would let every connection learn of the table anew.
_REPEATS = "SET session_replication_role = replica"
_used: dict[tuple[int, str], UsedPostgres] = {}  # by process and address


@dataclass(frozen=True, slots=True)
class State:
    """All that books hold: each table that has rows, as COPY tells it, and where counters stand."""

    tables: dict[str, bytes]
    counted: tuple[tuple[str, int], ...]

    def digest(self, what: str) -> bytes:
        """Return what no other state, and no other `what`, has."""
        told = blake2b(repr((what, self.counted)).encode())
        for name, rows in sorted(self.tables.items()):
            told.update(f"{name} {len(rows)} ".encode() + rows)
        return told.digest()


class UsedPostgres:
    """
    Empties the database at `url`, and hands it to one test after the other.

    Its connection stays, and the books' own: a new one would learn of every table again, which
    takes PostgreSQL longer than most tests. What holds no row is not touched.
    """

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, pool_size=1, max_overflow=0)
        with self._engine.connect() as connection:
            self._repeats = connection.exec_driver_sql("SHOW is_superuser").scalar() == "on"
        if self._repeats:
            sa.event.listen(self._engine, "connect", _repeat)
            self._engine.dispose()
        self._books = Database(url)
        _used[os.getpid(), url] = self
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
            if set(connection.exec_driver_sql(_NAMES).scalars()) == set(metadata.tables):
                _delete_rows(connection, guarded=not self._repeats)
                return
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            metadata.create_all(connection)

    def state(self) -> State | None:
        """Return what the books hold, or nothing while a connection of theirs is in use."""
        if not self._repeats or self._books.engine.pool.checkedout():  # type: ignore[attr-defined]
            return None
        with self._engine.connect() as connection:
            filled = connection.exec_driver_sql(_HOLDS_ROWS).scalars().all()
            counted = connection.exec_driver_sql(_COUNTED).all()
            with connection.connection.cursor() as cursor:
                tables = {}
                for name in filled:
                    with cursor.copy(f'COPY "{name}" TO STDOUT (FORMAT BINARY)') as rows:
                        tables[name] = b"".join(rows)
        return State(tables, tuple((name, last) for name, last in counted))

    def change(self, before: State, after: State) -> None:
        """Let the books, which hold what `before` says, hold what `after` says."""
        other = [
            name
            for name in before.tables | after.tables
            if before.tables.get(name) != after.tables.get(name)
        ]
        statements = [f'DELETE FROM "{name}"' for name in other if name in before.tables]
        statements += [
            f"SELECT setval('\"{name}\"', {last})"
            for name, last in after.counted
            if (name, last) not in before.counted
        ]
        with self._engine.begin() as connection:
            if statements:
                connection.exec_driver_sql("; ".join(statements))
            with connection.connection.cursor() as cursor:
                for name in other:
                    if name in after.tables:
                        with cursor.copy(f'COPY "{name}" FROM STDIN (FORMAT BINARY)') as rows:
                            rows.write(after.tables[name])

    def close(self) -> None:
        del _used[os.getpid(), self._books.url]
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


def used_at(url: str) -> UsedPostgres | None:
    """Return what this process hands out at `url`; another's connections are not ours."""
    return _used.get((os.getpid(), url))


def _repeat(connection: Any, _record: Any) -> None:
    connection.execute(_REPEATS)
    connection.commit()  # a roll back would end it


def _delete_rows(connection: Connection, *, guarded: bool) -> None:
    filled = connection.exec_driver_sql(_HOLDS_ROWS).scalars().all()
    statements = [f'DELETE FROM "{name}"' for name in filled]
    for name in _GUARDED.intersection(filled) if guarded else ():  # they let nothing go
        statements.insert(0, f"ALTER TABLE {name} DISABLE TRIGGER USER")
        statements.append(f"ALTER TABLE {name} ENABLE TRIGGER USER")
    if statements:
        connection.exec_driver_sql("; ".join(statements))
    connection.exec_driver_sql(_COUNT_ANEW)
