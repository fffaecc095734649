"""One way into the database: reading transactions, writing transactions, bulk loading."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

CHUNK = 10_000  # rows a bulk insert hands over at once


@dataclass(frozen=True, slots=True)
class Pool:
    """A process's connections to PostgreSQL: kept open, more for a moment, seconds of waiting."""

    size: int = 5
    overflow: int = 10
    timeout: int = 30


class Database:
    """
    The books behind one URL (`sqlite:///…` or `postgresql+psycopg://…`).

    A Database may be handed to threads and survives a fork: every process opens its own
    connections, because a connection inherited from the parent gives wrong answers.
    """

    def __init__(self, url: str, pool: Pool | None = None) -> None:
        self.url = url
        self._pool = pool or Pool()
        self._engines: dict[int, Engine] = {}

    @property
    def engine(self) -> Engine:
        process = os.getpid()
        if process not in self._engines:
            for inherited in self._engines.values():
                inherited.dispose(close=False)
            self._engines = {process: _open(self.url, self._pool)}
        return self._engines[process]

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """
        Open a transaction that writes; it is committed whole or not at all.

        SQLite takes its write lock at the start: a reader that turns writer half-way would be
        refused at once, whatever the busy timeout. What `record_audit` was told goes into the
        audit list at the end, whatever was written after it.
        """
        acts: list[Any] = []
        engine = self.engine.execution_options(writes=True, acts=acts)
        with engine.connect() as connection, connection.begin():
            yield connection
            if acts:
                from database.auditing import append_acts  # most commands write no act

                append_acts(connection, acts)

    def close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines = {}


def _open(url: str, pool: Pool) -> Engine:
    if url.startswith("sqlite"):
        return _open_sqlite(url)
    return sa.create_engine(
        url,
        hide_parameters=True,  # values are customers' data: they stay out of messages and logs
        pool_size=pool.size,
        max_overflow=pool.overflow,
        pool_timeout=pool.timeout,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={"options": "-c timezone=UTC -c lock_timeout=30s"},
    )


def _open_sqlite(url: str) -> Engine:
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing on its own
        for pragma in (
            "busy_timeout=30000",
            "journal_mode=WAL",
            "synchronous=FULL",  # a recorded payment survives a power cut
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def insert_rows(
    connection: Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """
    Load many rows, values in the order of `columns`, and return how many they were.

    COPY on PostgreSQL and the driver's executemany on SQLite: several times faster than inserts
    that SQLAlchemy compiles, and only a chunk in memory at a time.
    """
    encoded = _encode(connection, table, columns, rows)
    if connection.dialect.name == "postgresql":
        return _copy(connection, table, columns, encoded)
    marks = ", ".join("?" * len(columns))
    names = ", ".join(f'"{column}"' for column in columns)
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'
    cursor = connection.connection.cursor()
    count = 0
    while chunk := list(islice(encoded, CHUNK)):
        cursor.executemany(statement, chunk)
        count += len(chunk)
    cursor.close()
    return count


def _encode(
    connection: Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Iterator[list[Any]]:
    encoders = [_encoder(connection.dialect, table.c[column].type) for column in columns]
    needed = [(place, encode) for place, encode in enumerate(encoders) if encode is not None]
    for row in rows:
        values = list(row)
        for place, encode in needed:
            values[place] = encode(values[place])
        yield values


def _encoder(dialect: sa.Dialect, kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """Find what writes a column's values for the driver; days and words recur, and are kept."""
    encode = kind.dialect_impl(dialect).bind_processor(dialect)
    if encode is not None and isinstance(kind, sa.Date | sa.Enum):
        return lru_cache(maxsize=1_000)(encode)
    return encode


def _copy(
    connection: Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[list[Any]]
) -> int:
    names = ", ".join(f'"{column}"' for column in columns)
    count = 0
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    cursor.close()
    return count
