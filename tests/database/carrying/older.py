"""Books as older programs made them: a small city's month, written down by those programs."""

from __future__ import annotations

import gzip
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from database.books import Database
from database.migrating import Upgrade, migrate
from database.migrations import carrying
from tests.conftest import POSTGRES, fresh_postgres
from tests.forked import forks, load_before_forks

load_before_forks(__name__)

FOLDER = Path(__file__).parent
BEFORE_THE_PORTAL = "1.63f59e72"  # runs are not named by periods yet; nobody pays by hand
BEFORE_BANKS_ASK = "1.af1cf75d"  # payments by hand, and none that a bank wants confirmed
STATES = (BEFORE_THE_PORTAL, BEFORE_BANKS_ASK)
KINDS = ("sqlite", "postgresql")


@contextmanager
def older_books(state: str, kind: str, place: Path) -> Iterator[Database]:
    """The books that a program of a state made, in a database of their own."""
    if kind == "sqlite":
        (place / "billclose.db").write_bytes(_sqlite_file(state))
        yield from _opened(f"sqlite:///{place / 'billclose.db'}")
        return
    with fresh_postgres(os.environ[POSTGRES], "template0") as url:
        with psycopg.connect(url.replace("+psycopg", "")) as server:
            server.execute(_script(state, kind))  # type: ignore[call-overload]
        yield from _opened(url)


@cache
def _sqlite_file(state: str) -> bytes:
    """Make them once, and copy them for each test."""
    with closing(sqlite3.connect(":memory:")) as file:
        file.executescript(_script(state, "sqlite"))
        return file.serialize()


@cache
def _script(state: str, kind: str) -> str:
    return gzip.decompress((FOLDER / f"{state}.{kind}.sql.gz").read_bytes()).decode()


def _opened(url: str) -> Iterator[Database]:
    books = Database(url)
    yield books
    books.close()


def rows_of(books: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as the driver reads it, in the order of its key."""
    with books.engine.connect() as connection:
        inspector = sa.inspect(connection)
        return {
            name: [
                dict(row._mapping)
                for row in connection.exec_driver_sql(
                    f'SELECT * FROM "{name}" ORDER BY {_key_of(inspector, name)}'
                )
            ]
            for name in inspector.get_table_names()
        }


def _key_of(inspector: sa.Inspector, table: str) -> str:
    return ", ".join(inspector.get_pk_constraint(table)["constrained_columns"]) or "1"


def made_of(books: Database) -> list[tuple[Any, ...]]:
    """All that a database is made of, as it tells it: tables, columns, rules, views, triggers."""
    with books.engine.connect() as connection:
        queries = _SQLITE if books.is_sqlite else _POSTGRESQL
        return sorted(
            tuple(" ".join(str(part).split()) for part in row)
            for query in queries
            for row in connection.exec_driver_sql(query)
        )


_SQLITE = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'",
)
_OURS = "relnamespace = 'public'::regnamespace"
_POSTGRESQL = (
    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'",
    f"""SELECT relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull,
            attcollation::regcollation, pg_get_expr(adbin, adrelid)
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE {_OURS} AND relkind IN ('r', 'v', 'S') AND attnum > 0""",
    f"""SELECT conrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid)
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE {_OURS}""",
    f"SELECT relname, pg_get_indexdef(oid) FROM pg_class WHERE {_OURS} AND relkind = 'i'",
    f"SELECT relname, pg_get_viewdef(oid) FROM pg_class WHERE {_OURS} AND relkind = 'v'",
    f"""SELECT pg_get_triggerdef(pg_trigger.oid), tgenabled
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE {_OURS} AND NOT tgisinternal""",
    """SELECT proname, pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace""",
)


def killed_while(function: str, url: str) -> int | None:
    """Carry books over in a process that dies as it comes to a function; return how it ended."""
    process = forks().Process(target=_carry_and_die, args=(function, url))
    process.start()
    process.join()
    return process.exitcode


def _carry_and_die(function: str, url: str) -> None:
    def kill(*_values: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(carrying, function, kill)
    migrate(Database(url), upgrade=Upgrade("anna", datetime(2026, 11, 29, tzinfo=UTC)))
