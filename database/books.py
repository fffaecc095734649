"""One way into the database: reading transactions, writing transactions, bulk loading."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import chain, islice
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

from database.own_file import waiting_for_others
from database.types import Cents
from domain.money import Money

ALIVE = {  # a server whose machine is gone is noticed within two minutes, not within two hours
    "keepalives_idle": 30,
    "keepalives_interval": 15,
    "keepalives_count": 4,
    "tcp_user_timeout": 90_000,
}
_LIMITS = sa.text("""
    SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user
    UNION ALL SELECT datconnlimit FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT setting::int FROM pg_settings WHERE name = 'max_connections'
""")
CHUNK = 1_000  # rows that a bulk load hands over at once, in SQLite of up to 32 columns
MOST_VALUES = 32_766  # of a statement in SQLite
COPIED = 10  # chunks by one COPY of PostgreSQL


@dataclass(frozen=True, slots=True)
class DatabasePool:
    """
    A process's connections: kept open, more for a moment, seconds of waiting.

    `connect_timeout`: seconds until a PostgreSQL server that does not answer counts as away.
    """

    size: int = 5
    overflow: int = 10
    timeout: int = 30
    connect_timeout: int = 10


class OnlyReads(Exception):
    """Somebody who may only look came to where something is done; nothing was done."""


class Database:
    """
    The books behind one URL (`sqlite:///…` or `postgresql+psycopg://…`).

    A Database may be handed to threads and survives a fork: every process opens its own
    connections, because a connection inherited from the parent gives wrong answers.
    """

    def __init__(
        self,
        url: str,
        pool: DatabasePool | None = None,
        *,
        machine_clock: Callable[[], datetime] | None = None,
        rehearsed: bool = False,
        only_reads: bool = False,
    ) -> None:
        self.url = url
        self.only_reads = only_reads
        self._pool = pool or DatabasePool()
        self._machine_clock = machine_clock  # for the audit list, beside the business time
        self._rehearsed = rehearsed
        self._engines: dict[int, Engine] = {}

    @property
    def engine(self) -> Engine:
        process = os.getpid()
        if process not in self._engines:
            for inherited in self._engines.values():
                inherited.dispose(close=False)
            self._engines = {process: _open(self.url, self._pool)}
            if self.only_reads:
                event.listen(self._engines[process], "connect", _let_only_read)
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
        audit list at the end, whatever was written after it. Raises OnlyReads where these books
        are there to be looked at.
        """
        if self.only_reads:
            raise OnlyReads
        acts: list[Any] = []
        engine = self.engine.execution_options(writes=True, acts=acts)
        with engine.connect() as connection, connection.begin():
            yield connection
            if acts:
                from database.audit import append_acts

                machine_at = self._machine_clock() if self._machine_clock else None
                append_acts(connection, acts, machine_at=machine_at, rehearsed=self._rehearsed)

    def to_look_at(self) -> Database:
        """
        Return the same books over connections that refuse every write, whoever asks (ruling 26).

        The database itself refuses: SQLite by `query_only`, PostgreSQL by read-only transactions.
        """
        pool = replace(self._pool, size=1)
        return Database(self.url, pool, only_reads=True)

    def connections_allowed(self) -> int | None:
        """
        Return how many connections the server allows this user at the most; None: it is a file.

        The least of the user's own limit, the database's and the server's; others use them, too.
        """
        if self.is_sqlite:
            return None
        with self.reading() as books:
            return min(int(limit) for limit in books.scalars(_LIMITS) if limit >= 0)

    def forget_pages(self) -> None:
        """
        Let connections that nobody uses forget the pages of the file that they have read.

        Each keeps its own, up to 32 MB. A server's memory is its own affair.
        """
        pool = self.engine.pool
        if self.is_sqlite and isinstance(pool, QueuePool):
            with ExitStack() as idle:
                for _ in range(pool.checkedin()):
                    connection = idle.enter_context(self.engine.connect())
                    connection.exec_driver_sql("PRAGMA shrink_memory")

    def close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines = {}


def _open(url: str, pool: DatabasePool) -> Engine:
    if url.startswith("sqlite"):
        return _open_sqlite(url, pool)
    return sa.create_engine(
        url,
        hide_parameters=True,  # values are customers' data: they stay out of messages and logs
        pool_size=pool.size,
        max_overflow=pool.overflow,
        pool_timeout=pool.timeout,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            # jit: a page's query is guessed dear and compiled for longer than it takes to answer it
            "options": "-c timezone=UTC -c lock_timeout=30s -c jit=off",
            "connect_timeout": pool.connect_timeout,
            **ALIVE,
        },
    )


def _open_sqlite(url: str, pool: DatabasePool) -> Engine:
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        pool_size=pool.size,
        max_overflow=pool.overflow,
        pool_timeout=pool.timeout,
        connect_args={"timeout": 30},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing on its own
        for pragma in (
            "busy_timeout=30000",
            "journal_mode=WAL",
            "synchronous=FULL",  # a recorded payment survives a power cut
            "foreign_keys=ON",
            "cache_size=-32000",  # kilobytes; with 2,000 a large city is read again and again
        ):
            waiting_for_others(partial(connection.execute, f"PRAGMA {pragma}")).close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:  # it waits for nobody and cannot fail: by the driver alone it costs a quarter
            connection.connection.cursor().execute("BEGIN").close()

    return engine


def _let_only_read(connection: Any, _record: Any) -> None:
    """Have the database itself refuse whatever would write on a new connection (ruling 26)."""
    if hasattr(connection, "read_only"):
        connection.read_only = True  # psycopg begins its transactions so
    else:
        connection.execute("PRAGMA query_only=ON").close()


def insert_rows(
    connection: Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """
    Load many rows, values in the order of `columns`, and return how many they were.

    COPY on PostgreSQL and the driver's own inserts on SQLite: several times faster than those
    that SQLAlchemy compiles, and only a chunk in memory at a time.
    """
    chunks = _encode(connection, table, columns, _chunks_as_columns(rows))
    return _load(connection, table, columns, chunks)


def insert_columns(
    connection: Connection,
    table: sa.Table,
    columns: Sequence[str],
    blocks: Iterable[Sequence[Sequence[Any]]],
) -> int:
    """
    Load many rows that come as columns, some rows at a time, and return how many they were.

    A thread of its own makes the blocks while the database takes in those before, so making one
    must not ask the books.
    """
    with made_ahead(_encode(connection, table, columns, blocks)) as chunks:
        return _load(connection, table, columns, chunks)


AHEAD = 8  # chunks

T = TypeVar("T")


@contextmanager
def made_ahead(pieces: Iterable[T], most: int = AHEAD) -> Iterator[Iterator[T]]:
    """
    Let a thread make pieces, at most so many before they are asked for.

    What making one raises is raised where it is asked for. The thread has ended when this has,
    however many pieces were asked for.
    """
    made: Queue[tuple[str, Any]] = Queue(most)
    is_enough = Event()

    def make() -> None:
        try:
            for piece in pieces:
                made.put(("piece", piece))
                if is_enough.is_set():
                    return
            made.put(("end", None))
        except BaseException as failure:
            made.put(("failure", failure))

    def ask() -> Iterator[T]:
        while (told := made.get())[0] == "piece":
            yield told[1]
        if told[0] == "failure":
            raise told[1]

    thread = Thread(target=make, name="made ahead", daemon=True)
    thread.start()
    try:
        yield ask()
    finally:
        is_enough.set()
        with suppress(Empty):  # whoever waits for room puts one piece more, and sees it then
            while True:
                made.get_nowait()
        thread.join()


def _chunks_as_columns(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
    unread = iter(rows)
    while chunk := list(islice(unread, CHUNK)):
        yield list(zip(*chunk, strict=True))


Columns = list[list[Any]]  # some rows' values, a list for each column


def _encode(
    connection: Connection,
    table: sa.Table,
    columns: Sequence[str],
    blocks: Iterable[Sequence[Sequence[Any]]],
) -> Iterator[Columns]:
    """Write the values as the driver takes them, and yield them in full chunks."""
    encoders = [_encoder(connection.dialect, table.c[column].type) for column in columns]
    chunk: Columns = [[] for _ in columns]
    for block in blocks:
        rows = {*map(len, block)}
        if len(rows) != 1 or len(block) != len(columns):
            raise ValueError(f"{len(block)} columns of {rows} rows are no rows of {table.name}")
        for values, encode, gathered in zip(block, encoders, chunk, strict=True):
            gathered += values if encode is None else encode(values)
        while len(chunk[0]) >= CHUNK:
            yield [values[:CHUNK] for values in chunk]
            for values in chunk:
                del values[:CHUNK]
    if chunk[0]:
        yield chunk


def _encoder(
    dialect: sa.Dialect, kind: sa.types.TypeEngine[Any]
) -> Callable[[Sequence[Any]], Iterable[Any]] | None:
    """Find what writes a column's values for the driver; few values that recur are kept."""
    encode = kind.dialect_impl(dialect).bind_processor(dialect)
    if encode is None:
        return None
    if isinstance(kind, sa.Date | sa.Enum | sa.Boolean):
        return partial(map, lru_cache(maxsize=1_000)(encode))
    return partial(_to_cents, encode) if isinstance(kind, Cents) else partial(map, encode)


_AMOUNT_OR_NONE = {Money, type(None)}


def _to_cents(encode: Callable[[Any], Any], amounts: Sequence[Any]) -> Iterable[Any]:
    """Write amounts as cents, all at once; what is none is refused as `Cents` refuses it."""
    if set(map(type, amounts)) <= _AMOUNT_OR_NONE:
        return [None if amount is None else amount.cents for amount in amounts]
    return map(encode, amounts)


def _load(
    connection: Connection, table: sa.Table, columns: Sequence[str], chunks: Iterator[Columns]
) -> int:
    load = _copy if connection.dialect.name == "postgresql" else _insert
    names = ", ".join(f'"{column}"' for column in columns)
    cursor: Any = connection.connection.cursor()
    count = load(cursor, f'"{table.name}" ({names})', len(columns), chunks)
    cursor.close()
    return count


def _insert(cursor: Any, target: str, width: int, chunks: Iterator[Columns]) -> int:
    """
    Insert a whole chunk by one statement, and the rest by a statement a row.

    SQLite builds the list of words that a CHECK allows anew for each statement: with a row a
    statement, that is a third of all its work.
    """
    marks = f"({', '.join('?' * width)})"
    statement = f"INSERT INTO {target} VALUES {marks}"
    statement_of_chunk = statement + f", {marks}" * (CHUNK - 1)
    is_too_wide = CHUNK * width > MOST_VALUES
    count = 0
    for chunk in chunks:
        rows = len(chunk[0])
        if rows == CHUNK and not is_too_wide:
            values = [None] * (rows * width)
            for place, column in enumerate(chunk):
                values[place::width] = column
            cursor.execute(statement_of_chunk, values)
        else:
            cursor.executemany(statement, zip(*chunk, strict=True))
        count += rows
    return count


def _copy(cursor: Any, target: str, _width: int, chunks: Iterator[Columns]) -> int:
    """Copy some chunks at a time: at the end of each COPY the server looks at all their keys."""
    count = 0
    while some := list(islice(chunks, 1)):
        with cursor.copy(f"COPY {target} FROM STDIN") as copy:
            for chunk in chain(some, islice(chunks, COPIED - 1)):
                for row in zip(*chunk, strict=True):
                    copy.write_row(row)
                count += len(chunk[0])
    return count
