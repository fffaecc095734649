"""The least that each step of a close could take: the same rows, bytes and questions, bare."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bench.close.city import PERIOD
from bench.mail.servers import Source
from data_checks.check import to_query
from data_checks.checking import STAGED
from data_checks.checks.catalog import CATALOG
from data_checks.parameters import Thresholds, parameters
from database.books import Database
from database.schema import metadata
from domain.steps import Step

DERIVED = ("problem", "page", "bill", "delivery_plan", "recipient", "planned_payment")
IMPORTED = tuple(name for name in STAGED if name not in (*DERIVED, "gateway_payment"))


def limits(urls: tuple[str, str], home: Path, mails: int, relay: int | None) -> dict[str, float]:
    """
    Measure the bare work of each step in seconds, from a home in which a period was closed.

    `urls` are those of its books and of a database without tables; `relay` the port of a mail
    server that takes everything. All rows are held in memory, so this has a process of its own:
    one that is started later would be counted as having as much.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        return apart.submit(_limits, urls, home, mails, relay).result()


def _limits(urls: tuple[str, str], home: Path, mails: int, relay: int | None) -> dict[str, float]:
    with closing(Database(urls[0])) as database, closing(Database(urls[1])) as bare:
        least = {
            Step.IMPORT.value: _insert(database, bare),
            Step.SPLIT.value: _write(home / "bills", home / "bare-bills"),
            Step.CHECK.value: _ask(database),
            Step.SCHEDULE.value: _schedule(database),
        }
        if relay is not None and mails:
            least[Step.SEND.value] = _mail(home, mails, relay)
    return least


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _insert(database: Database, bare: Database) -> float:
    """Load the imported rows into empty tables: executemany on SQLite, COPY on PostgreSQL."""
    names = [table.name for table in metadata.sorted_tables if table.name in IMPORTED]
    metadata.create_all(bare.engine)
    with database.reading() as books:
        if database.is_sqlite:
            rows = {name: books.exec_driver_sql(_all_of(name)).fetchall() for name in names}
            work = partial(_execute_many, rows={name: some for name, some in rows.items() if some})
        else:
            work = partial(_copy_in, copies={name: _copy_out(books, name) for name in names})
    with closing(bare.engine.raw_connection()) as target, closing(target.cursor()) as cursor:
        no_keys = (
            "PRAGMA foreign_keys=OFF" if bare.is_sqlite else "SET session_replication_role=replica"
        )
        cursor.execute(no_keys)  # the rows that others point at are not among them
        return _timed(lambda: work(cursor))


def _execute_many(cursor: Any, rows: dict[str, Sequence[Sequence[Any]]]) -> None:
    cursor.execute("BEGIN")
    for name, values in rows.items():
        marks = ", ".join("?" * len(values[0]))
        cursor.executemany(f'INSERT INTO "{name}" VALUES ({marks})', map(tuple, values))
    cursor.execute("COMMIT")


def _all_of(table: str) -> str:
    return f'SELECT * FROM "{table}"'


def _copy_out(books: Connection, table: str) -> bytes:
    with books.connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(bytes(block) for block in copy)


def _copy_in(cursor: Any, copies: dict[str, bytes]) -> None:
    for table, content in copies.items():
        with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
            copy.write(content)
    cursor.connection.commit()


def _write(bills: Path, folder: Path) -> float:
    """Write as many files of the same sizes."""
    sizes = [file.stat().st_size for file in bills.rglob("*.pdf")]
    content = memoryview(bytes(max(sizes)))
    folder.mkdir()

    def write() -> None:
        for number, size in enumerate(sizes):
            (folder / f"{number}.pdf").write_bytes(content[:size])

    return _timed(write)


def _ask(database: Database) -> float:
    """Count what each check's SQL finds, without anything around it."""
    with database.reading() as books:
        values = parameters(books, PERIOD, date(2026, 11, 2), Thresholds())
        questions = [
            f"SELECT count(*) FROM ({to_query(check.sql, values)}) AS found" for check in CATALOG
        ]
        with closing(books.connection.cursor()) as cursor:  # a % means nothing to it
            return _timed(lambda: [cursor.execute(one).fetchone() for one in questions])


def _schedule(database: Database) -> float:
    """Write the scheduled payments once more by one statement, and take them back."""
    payments = metadata.tables["gateway_payment"]
    others = [column for column in payments.c if column.name not in ("key", "number")]
    again = sa.select(payments.c.key + "/again", payments.c.number + 1_000, *others)
    names = ["key", "number", *(column.name for column in others)]
    statement = payments.insert().from_select(names, again)
    with database.engine.connect() as books:
        seconds = _timed(lambda: books.execute(statement))
        books.rollback()
    return seconds


def _mail(home: Path, mails: int, relay: int) -> float:
    """Send as many mails of the mean size by smtp-source."""
    sizes = [file.stat().st_size for file in (home / "bills").rglob("*.pdf")]
    mean = sum(sizes) // len(sizes)
    source = Source(relay, size=mean * 4 // 3 + 4_000)  # base64, and the words around it
    source.rate = float(mails)
    _, wall, _ = source.send(1.0)
    return wall
