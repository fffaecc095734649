"""The schema: created, migrated, and the same as the tables say."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from database import migrating
from database.books import Database
from database.migrating import NEWEST, downgrade, migrate, require_schema, revision_of
from database.tables import delivery, delivery_plan, metadata, paper, print_batch
from domain.bounces import delivery_token
from domain.deliveries import PasswordField
from domain.failures import Misuse
from mail.recipients.delivery_plan import plan_deliveries
from tests.builders import RUN, a_household, close_run, stage_run

VERSION = "alembic_version"


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


def test_init_makes_the_tables_and_doing_it_again_changes_nothing(bare):
    assert revision_of(bare) is None

    revisions = [migrate(bare), migrate(bare), revision_of(bare)]

    assert [NEWEST] * 3 == revisions
    assert set(metadata.tables) == tables_of(bare)
    require_schema(bare)


def test_the_migrations_make_what_the_tables_say(bare):
    migrate(bare)

    with bare.engine.connect() as connection:
        assert [] == compare_metadata(MigrationContext.configure(connection), metadata)


def test_the_migrations_make_the_same_checks_as_the_tables(database):
    expected = checks_of(database)
    metadata.drop_all(database.engine)

    migrate(database)

    assert expected == checks_of(database)
    assert {"ck_planned_payment_one_or_the_other", "ck_scheduled_payment_amount_positive"} <= {
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


def test_books_of_another_release_are_refused_with_what_to_do(bare):
    migrate(bare)
    with bare.writing() as books:
        books.exec_driver_sql(f"UPDATE {VERSION} SET version_num = '0000'")

    with pytest.raises(Misuse, match=r"has schema 0000, this release needs .* backup") as refused:
        require_schema(bare)

    assert "old-database" == refused.value.code


def test_foreign_keys_hold_again_after_a_migration_and_after_one_that_failed(bare):
    migrate(bare)
    with pytest.raises(CommandError):
        migrate(bare, "no-such-revision")
    with pytest.raises(CommandError):
        downgrade(bare, "no-such-revision")

    with pytest.raises(sa.exc.IntegrityError), bare.writing() as books:
        books.exec_driver_sql(
            "INSERT INTO period_close (run, closed_at, closed_by) "
            "VALUES ('2026-10', '2026-11-02 13:00:00', 'anna')"
        )


def test_a_release_taken_back_keeps_each_bill_on_paper_for_a_reason_that_it_knows(bare):
    migrate(bare)
    stage_run(bare, a_household("1", email="ann@x.example"), a_household("2", send_paper=True))
    plan_deliveries(bare, RUN, to_landlords=True, password=PasswordField.ZIP)
    with bare.writing() as books:
        books.execute(
            delivery_plan.update().where(delivery_plan.c.account_key == "2"),
            {"paper": "send-paper"},
        )

    downgrade(bare, "0001")

    with bare.reading() as books:
        rows = books.exec_driver_sql(
            "SELECT account_key, paper FROM delivery_plan ORDER BY 1"
        ).all()
    assert [("1", "no-valid-email"), ("2", "send-paper")] == [tuple(row) for row in rows]
    with pytest.raises(sa.exc.IntegrityError), bare.writing() as books:
        books.exec_driver_sql("UPDATE delivery_plan SET paper = 'password-missing'")


BEFORE_BOUNCES = """
INSERT INTO delivery (key, run, account_key, account, kind, form, address, status, message_id,
    attempts, queued_at, next_try_at, possible_duplicate)
VALUES ('bill/2026-10/utility-bill/1/ann@x.example', '2026-10', '1', '1', 'bill', 'utility-bill',
    'ann@x.example', 'sent', '<1@x>', 1, '2026-11-02 13:00:00', '2026-11-02 13:00:00', false);
INSERT INTO paper (run, form, account_key, account, pages, reason, sequence)
VALUES ('2026-10', 'utility-bill', '2', '2', 1, 'send-paper', 1);
INSERT INTO print_batch (run, bulk, form, file, bills, pages, sha256, written_at)
VALUES ('2026-10', 0, 'utility-bill', 'print/2026-10/utility-bill-0.pdf', 1, 1, 'abc',
    '2026-11-02 13:00:00')
"""


def test_what_an_earlier_release_mailed_and_printed_is_known_to_this_one_and_back(bare):
    migrate(bare)
    stage_run(bare, a_household("1"), a_household("2"))
    close_run(bare)
    downgrade(bare, "0002")
    with bare.writing() as books:
        for statement in BEFORE_BOUNCES.split(";"):
            books.exec_driver_sql(statement)

    migrate(bare)
    with bare.writing() as books:
        token = books.scalar(sa.select(delivery.c.token))
        parts = [books.scalar(sa.select(table.c.part)) for table in (paper, print_batch)]
        later = {"part": 2, "file": "print/2026-10/part-2/utility-bill-0.pdf"}
        batch = dict(books.execute(sa.select(print_batch)).mappings().one())
        books.execute(print_batch.insert().values(**batch | later))
    downgrade(bare, "0002")

    assert delivery_token("bill/2026-10/utility-bill/1/ann@x.example") == token
    assert [1, 1] == parts
    with bare.reading() as books:
        files = books.exec_driver_sql("SELECT file FROM print_batch").scalars().all()
    assert ["print/2026-10/utility-bill-0.pdf"] == files
