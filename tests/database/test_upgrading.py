"""A small real period, closed by the first release, on its way to this one and back."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from database.audit import record_audit, verify_audit
from database.books import Database
from database.migrating import NEWEST, downgrade, migrate, require_schema, revision_of
from database.tables import audit, metadata, scheduled_payment
from domain.money import Money
from domain.payments import PaymentState
from reporting.run_sheet.reading import read_run_sheet
from tests.builders import NOW
from tests.database.first_release import FIRST, ROWS, load_first_release, rows_by_table

RUN = "2026-10"
TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT tgname, pg_get_triggerdef(oid) || pg_get_functiondef(tgfoid) "
    "FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
}


@pytest.fixture
def first(database) -> Database:
    """The books as the first release left them."""
    metadata.drop_all(database.engine)
    load_first_release(database)
    return database


def in_any_order(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    return {name: sorted(str(sorted(row.items())) for row in rows) for name, rows in tables.items()}


def guards(database: Database) -> list[tuple[str, str]]:
    with database.reading() as books:
        found = books.exec_driver_sql(TRIGGERS[books.dialect.name])
        return [(name, " ".join(text.split())) for name, text in found]


def test_a_closed_period_is_read_by_this_release_as_it_was(first):
    migrate(first)

    require_schema(first)
    sheet = read_run_sheet(first, RUN)
    assert (True, 7, 7) == (sheet.is_closed, sheet.bills, sheet.totals["accounts"])
    assert Money.parse("1502.45") == sheet.amount_due_total == sheet.printed_total
    assert (3, 1, Money.parse("167.35")) == (
        sheet.autopay.scheduled, sheet.autopay.unscheduled, sheet.autopay.amount,
    )  # fmt: skip
    assert (7, 3) == (sheet.deliveries.sent, sheet.paper.bills)
    assert "anna" == sheet.closed_by == sheet.approved_by
    with first.reading() as books:
        states = books.execute(sa.select(scheduled_payment.c.state)).scalars().all()
    assert [PaymentState.SCHEDULED] * 3 == states


def test_every_row_of_the_first_release_is_still_there(first):
    migrate(first)

    counts = {name: len(rows) for name, rows in rows_by_table(first).items()}
    assert {name: len(rows) for name, rows in ROWS.items()} == counts


def test_what_was_audited_before_is_a_sound_chain_and_goes_on(first):
    migrate(first)
    with first.writing() as books:
        record_audit(books, NOW, "ben", "look", RUN)
    with first.reading() as books:
        verdict = verify_audit(books)
        acts = books.execute(sa.select(audit.c.action).order_by(audit.c.id)).scalars().all()

    assert (7, None) == (verdict.rows, verdict.fault)
    assert [row["action"] for row in ROWS["audit"]] == acts[:-1]


def test_migrated_books_are_guarded_as_new_ones_are(database):
    expected = guards(database)
    metadata.drop_all(database.engine)
    load_first_release(database)

    migrate(database)

    assert expected == guards(database)
    assert len(expected) >= 3
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), database.writing() as books:
        books.exec_driver_sql("UPDATE audit SET who = 'ben'")


def test_back_at_the_first_release_everything_is_as_it_was(first):
    before = rows_by_table(first)
    migrate(first)

    downgrade(first, FIRST)

    after = rows_by_table(first)
    assert in_any_order(ROWS) == in_any_order(before)
    assert in_any_order(before) == in_any_order(after)
    assert FIRST == revision_of(first)


def test_the_first_release_can_work_on_and_is_brought_forward_again(first):
    migrate(first)
    downgrade(first, FIRST)
    with first.writing() as books:  # as that release wrote its acts: the number comes by itself
        books.exec_driver_sql(
            "INSERT INTO audit (at, who, action, subject, detail) "
            "VALUES ('2026-11-03 09:00:00', 'anna', 'look', '2026-10', '')"
        )

    assert NEWEST == migrate(first)

    with first.reading() as books:
        verdict = verify_audit(books)
    assert (7, None) == (verdict.rows, verdict.fault)


@pytest.mark.parametrize("revision", ["0005", "0008"])
def test_a_stop_on_the_way_is_no_obstacle(first, revision):
    stopped = migrate(first, revision)

    assert (revision, NEWEST) == (stopped, migrate(first))
    assert len(ROWS["delivery"]) == len(rows_by_table(first)["delivery"])


def test_decisions_go_with_an_earlier_release_and_stay_in_the_audit_list(first):
    migrate(first)
    with first.writing() as books:
        record_audit(books, NOW, "ben", "approve", RUN, "looked at it")

    downgrade(first, "0007")

    with first.reading() as books:
        names = sa.inspect(books).get_table_names()
        acts = books.exec_driver_sql("SELECT action, detail FROM audit ORDER BY id").all()
    assert ("approve", "looked at it") == tuple(acts[-1])
    assert [] == [name for name in names if name.startswith("approval")]
