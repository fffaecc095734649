"""The schema: created, migrated, and the same as the tables say."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from database import migrating
from database.books import Database
from database.definitions.making import TRIGRAMS
from database.migrating import NEWEST, VERSION, downgrade, migrate, require_schema, revision_of
from database.schema import metadata
from domain.failures import Misuse


@pytest.fixture
def bare(database) -> Database:
    """A database without any table."""
    metadata.drop_all(database.engine)
    return database


def tables_of(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names()) - {VERSION}


def checks_of(database: Database) -> dict[str, set[tuple[str, str]]]:
    """Every table's CHECKs by name, without blanks and quotes."""
    inspector = sa.inspect(database.engine)
    return {
        table: {
            (str(check["name"]), "".join(check["sqltext"].replace('"', "").split()))
            for check in inspector.get_check_constraints(table)
        }
        for table in tables_of(database)
    }


def _context(connection: sa.Connection) -> MigrationContext:
    """What is compared; SQLite has no indexes of trigrams, whatever the tables say."""
    is_sqlite = connection.dialect.name == "sqlite"
    return MigrationContext.configure(
        connection,
        opts={
            "version_table": VERSION,
            "include_object": lambda _thing, name, *_about: (
                not (is_sqlite and str(name).endswith(TRIGRAMS))
            ),
        },
    )


def test_init_makes_the_tables_and_doing_it_again_changes_nothing(bare):
    assert revision_of(bare) is None

    revisions = [migrate(bare), migrate(bare), revision_of(bare)]

    assert [NEWEST] * 3 == revisions
    assert set(metadata.tables) == tables_of(bare)
    require_schema(bare)


# SQLite's indexes of expressions cannot be read back; PostgreSQL's are compared.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
def test_the_migrations_make_what_the_tables_say(bare):
    migrate(bare)

    with bare.engine.connect() as connection:
        assert [] == compare_metadata(_context(connection), metadata)


def test_the_migrations_make_the_same_checks_as_the_tables(database):
    expected = checks_of(database)
    metadata.drop_all(database.engine)

    migrate(database)

    assert expected == checks_of(database)
    assert {"ck_planned_payment_one_or_the_other", "ck_gateway_payment_amount_positive"} <= {
        name for checks in expected.values() for name, _ in checks
    }


def test_a_release_can_be_taken_back_to_nothing_and_brought_forward_again(bare):
    migrate(bare)

    downgrade(bare, "base")

    assert (set(), None) == (tables_of(bare), revision_of(bare))
    assert NEWEST == migrate(bare)


def test_this_release_is_the_newest_migration():
    config = Config()
    folder = migrating.Path(migrating.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))

    assert (NEWEST,) == tuple(ScriptDirectory.from_config(config).get_heads())


def test_books_without_tables_are_refused_with_what_to_do(bare):
    with pytest.raises(Misuse, match=r"no tables yet; run `billclose init` first\.") as refused:
        require_schema(bare)

    assert "no-database" == refused.value.code


def test_foreign_keys_hold_again_after_a_migration_and_after_one_that_failed(bare):
    migrate(bare)
    with pytest.raises(CommandError):
        migrate(bare, "no-such-revision")
    with pytest.raises(CommandError):
        downgrade(bare, "no-such-revision")

    with pytest.raises(sa.exc.IntegrityError), bare.writing() as books:
        books.exec_driver_sql(
            "INSERT INTO period_close (period, closed_at, closed_by) "
            "VALUES ('2026-10', '2026-11-02 13:00:00', 'anna')"
        )


def test_books_that_were_made_before_the_baseline_are_told_how_to_carry_on(database):
    with database.writing() as books:  # as its tables stand: ours, and no revision of today
        books.exec_driver_sql(f"DROP TABLE IF EXISTS {VERSION}")

    for look in (require_schema, migrate):
        with pytest.raises(Misuse, match=r"earlier state .* `billclose init` in a new home") as no:
            look(database)
        assert "old-database" == no.value.code


def test_nothing_is_made_in_a_database_of_another_program(bare):
    with bare.writing() as books:
        books.exec_driver_sql(f"DROP TABLE IF EXISTS {VERSION}")
        books.exec_driver_sql("CREATE TABLE flow_run (id integer)")

    try:
        with pytest.raises(Misuse, match=r"1 table of another program \(flow_run") as no:
            migrate(bare)
        left = tables_of(bare)
    finally:
        with bare.writing() as books:
            books.exec_driver_sql("DROP TABLE flow_run")

    assert ("foreign-database", {"flow_run"}) == (no.value.code, left)


def test_the_revision_is_the_same_in_every_process():
    command = [sys.executable, "-c", "from database.migrating import NEWEST; print(NEWEST)"]
    others = {
        subprocess.run(
            command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert {NEWEST} == others
