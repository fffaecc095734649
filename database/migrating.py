"""Creating and migrating the schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from domain.failures import Misuse

MIGRATING = 0x62696C6C636C  # "billcl": the advisory lock of whoever migrates
NEWEST = "0010"  # the revision that the tables of this release stand for


def migrate(database: Database, to: str = "head") -> str:
    """
    Create the schema or bring it to a revision, and return the revision it has then.

    SQLite rebuilds tables to change them, so foreign keys are off meanwhile and checked after.
    Where two processes migrate at once the second waits, and finds nothing left to do.
    """
    from alembic import command

    with _rebuilding(database) as connection:
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
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.exec_driver_sql(
            "SELECT version_num FROM alembic_version"
        ).scalar_one_or_none()
        return revision


def require_schema(database: Database) -> None:
    """Raise Misuse where the database lacks our tables or has another release's."""
    found = revision_of(database)
    if found is None:
        raise Misuse("The database has no tables yet; run `billclose init` first.", "no-database")
    if found != NEWEST:
        raise Misuse(
            f"The database has schema {found}, this release needs {NEWEST}; "
            "make a backup, then run `billclose init` to migrate it.",
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
