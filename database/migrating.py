"""Creating and migrating the schema."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.schema import metadata
from domain.failures import Misuse
from domain.words import say_count

MIGRATING = 0x62696C6C636C  # "billcl": the advisory lock of whoever migrates
VERSION = "billclose_version"  # the table that says which revision a database has
OUR_OWN = "bill_run"  # a table that only a database of ours has
BEFORE_THE_BASELINE = "before the baseline"  # tables of ours that no revision of today made


def _fingerprint() -> str:
    """Return what names the tables of this state: another column is another revision."""
    told = [
        f"{table.name}.{column.name} {column.type!r} {column.nullable} {column.primary_key}"
        for table in metadata.sorted_tables
        for column in table.columns
    ]
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()[:8]


NEWEST = f"1.{_fingerprint()}"  # the revision that the tables of this release stand for


def migrate(database: Database, to: str = "head") -> str:
    """
    Create the schema or bring it to a revision, and return the revision it has then.

    Raises Misuse where the database is another program's, or was made by a state of ours that
    nothing leads on from.
    SQLite rebuilds tables to change them, so foreign keys are off meanwhile and checked after.
    Where two processes migrate at once the second waits, and finds nothing left to do.
    """
    from alembic import command

    with _rebuilding(database) as connection:
        found = _revision(connection)
        if found not in (None, NEWEST):
            raise _older(found)
        if found is None:
            _require_nobody_elses(connection)
        command.upgrade(_config(connection), to)
    return revision_of(database) or ""


def downgrade(database: Database, to: str) -> None:
    """Take the schema back to an older revision (`base`: to nothing)."""
    from alembic import command

    with _rebuilding(database) as connection:
        command.downgrade(_config(connection), to)


def revision_of(database: Database) -> str | None:
    """Return the revision a database has, None where it has no tables of ours."""
    with database.engine.connect() as connection, connection.begin():
        return _revision(connection)


def require_schema(database: Database) -> None:
    """Raise Misuse where the database lacks our tables or has another release's."""
    found = revision_of(database)
    if found is None:
        raise Misuse("The database has no tables yet; run `billclose init` first.", "no-database")
    if found != NEWEST:
        raise _older(found)


def _revision(connection: Connection) -> str | None:
    tables = sa.inspect(connection)
    if tables.has_table(VERSION):
        query = f"SELECT version_num FROM {VERSION}"
        revision: str | None = connection.exec_driver_sql(query).scalar_one_or_none()
        return revision
    return BEFORE_THE_BASELINE if tables.has_table(OUR_OWN) else None


def _require_nobody_elses(connection: Connection) -> None:
    """Raise Misuse where there are tables, and none of ours: nothing is made beside them."""
    others = set(sa.inspect(connection).get_table_names()) - {VERSION}
    if others:
        raise Misuse(
            f"The database holds {say_count(len(others), 'table')} of another program "
            f"({sorted(others)[0]}, …); give billclose a database of its own in `database.url`.",
            "foreign-database",
        )


def _older(found: str) -> Misuse:
    return Misuse(
        f"The database was made by an earlier state of billclose (schema {found}; this one needs "
        f"{NEWEST}) and cannot be carried over. With the program that made it, make a backup and "
        "export the lists that you need (`billclose list … --csv FILE`); then run "
        "`billclose init` in a new home and import the billing export there.",
        "old-database",
    )


def _config(connection: Connection):  # type: ignore[no-untyped-def]
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _rebuilding(database: Database) -> Iterator[Connection]:
    """Open a transaction in which tables may be rebuilt; the keys hold again whatever happens."""
    with database.engine.execution_options(writes=True).connect() as connection:
        if database.is_sqlite:
            _set_foreign_keys(connection, on=False)
        try:
            with connection.begin():
                if not database.is_sqlite:
                    _wait_for_turn(connection)
                yield connection
        finally:
            if database.is_sqlite:
                _set_foreign_keys(connection, on=True)


def _wait_for_turn(connection: Connection) -> None:
    """Wait for whoever migrates now, however long it takes; SQLite's write lock does the same."""
    connection.execute(sa.text("SET LOCAL lock_timeout = 0"))
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
    connection.execute(sa.text("SET LOCAL lock_timeout = '30s'"))


def _set_foreign_keys(connection: Connection, *, on: bool) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")
