"""Creating and migrating the schema."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.in_force import VIEWS
from database.definitions.making import make_missing_trigrams
from database.schema import metadata
from domain.failures import Misuse
from domain.words import say_count

MIGRATING = 0x62696C6C636C  # "billcl": the advisory lock of whoever migrates
VERSION = "billclose_version"  # the table that says which revision a database has
OUR_OWN = "bill_run"  # a table that only a database of ours has
BEFORE_THE_BASELINE = "before the baseline"  # tables of ours that no revision of today made


def _fingerprint() -> str:
    """Return what names the tables of this state: another column or view is another revision."""
    told = [
        f"{table.name}.{column.name} {column.type!r} {column.nullable} {column.primary_key}"
        for table in metadata.sorted_tables
        for column in table.columns
    ]
    told += [
        f"{table.name} {index.name} {index.unique}"
        for table in metadata.sorted_tables
        for index in table.indexes
    ]
    told += [f"{name} {query}" for name, query in VIEWS.items()]
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()[:8]


NEWEST = f"1.{_fingerprint()}"  # the revision that the tables of this release stand for


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Who brings older books up to date, and when: for the audit list."""

    who: str
    at: datetime
    backup: str = ""  # the name of the file that was written before


def migrate(database: Database, to: str = "head", upgrade: Upgrade | None = None) -> str:
    """
    Create the schema or bring it to a revision, and return the revision it has then.

    Rows of an older release are carried over where an `upgrade` says who does it: all of them or,
    where that fails, none. Raises Misuse where it is told by nobody, where the database is another
    program's or a newer release's, or where it holds what nothing leads on from.
    Of books that are up to date it makes what PostgreSQL had no extension for when they were made.
    SQLite rebuilds tables to change them, so foreign keys are off meanwhile and checked after.
    Where two processes migrate at once the second waits, and finds nothing left to do.
    """
    from alembic import command

    with _rebuilding(database) as connection:
        found = _revision(connection)
        if found is None:
            _require_nobody_elses(connection)
        elif found != NEWEST:
            _carry_over(connection, found, upgrade)
        command.upgrade(_config(connection), to)
        if found == NEWEST:
            make_missing_trigrams(connection)
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


def needs_carrying(database: Database) -> str | None:
    """Return the earlier revision from which a database has to be carried over, if it has one."""
    found = revision_of(database)
    return found if found is not None and _is_earlier(found) else None


def _is_earlier(found: str) -> bool:
    from database.migrations.carrying import earlier_states

    return found != NEWEST and found in earlier_states()


def _carry_over(connection: Connection, found: str, upgrade: Upgrade | None) -> None:
    from database.audit import audit_at_once
    from database.migrations.carrying import carry_over

    if upgrade is None or not _is_earlier(found):
        raise _older(found)
    carry_over(connection, found)
    renamed = sa.text(f"UPDATE {VERSION} SET version_num = :newest")
    connection.execute(renamed, {"newest": NEWEST})
    detail = f"from schema {found}" + (f"; backup {upgrade.backup}" if upgrade.backup else "")
    audit_at_once(connection, upgrade.at, upgrade.who, "upgrade", f"schema {NEWEST}", detail)


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
    if found == BEFORE_THE_BASELINE:
        return Misuse(
            f"The database was made by an earlier state of billclose (schema {found}; this one "
            f"needs {NEWEST}) and cannot be carried over. With the program that made it, make a "
            "backup and export the lists that you need (`billclose list … --csv FILE`); then run "
            "`billclose init` in a new home and import the billing export there.",
            "old-database",
        )
    if _is_earlier(found):
        return Misuse(
            f"The database was made by an earlier billclose (schema {found}; this one needs "
            f"{NEWEST}). Stop whatever works on it, then run `billclose init --backup FILE`: it "
            "writes a backup, and brings the database up to date.",
            "old-database",
        )
    return Misuse(
        f"The database was made by a newer billclose (schema {found}; this one knows {NEWEST} and "
        "what came before); nothing was changed: use the program that made it.",
        "newer-database",
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
