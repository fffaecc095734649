"""The close: once, only after a person's yes, and never back to an older period."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_system.closing import Published, publish
from billing_system.embedded import EmbeddedBillingSystem
from billing_system.importing import import_export
from database import tables
from database.books import Database
from domain.failures import Misuse, Refused
from domain.money import Money
from domain.runs import RunState
from tests.builders_export import ACCOUNT, MANIFEST, a_table, write_export

NOW = datetime(2026, 11, 2, 15, tzinfo=UTC)
OCTOBER, NOVEMBER = "2026-10", "2026-11"
LATER = MANIFEST.replace("2026-11-20", "2026-12-20").replace("10-31", "11-30")
LATER = LATER.replace("2026-10-01", "2026-11-01").replace('"2026-10"', '"2026-11"')


def stage(database: Database, tmp_path: Path, *accounts: dict[str, str], bundle=MANIFEST) -> None:
    source = write_export(tmp_path / "export", bundle=bundle, accounts=a_table(*accounts))
    export = EmbeddedBillingSystem().read_export(source)
    import_export(database, export, exports_folder=tmp_path / "exports", now=NOW, who="clerk")


def approve(database: Database) -> None:
    with database.writing() as connection:
        staged = tables.bill_run.c.state == RunState.STAGED
        connection.execute(sa.update(tables.bill_run).where(staged).values(state=RunState.APPROVED))


def close(database: Database, period: str) -> Published:
    return publish(database, period, now=NOW, who="anna")


def balances(database: Database) -> list[tuple[str, str, Money, Money]]:
    due = tables.balance_due.c
    with database.reading() as connection:
        query = sa.select(due.account, due.period, due.amount_due, due.paid).order_by(due.account)
        return [tuple(row) for row in connection.execute(query)]


def an_account(number: str, balance: str, status: str = "active") -> dict[str, str]:
    return ACCOUNT | {"account_number": number, "closing_balance": balance, "status": status}


def test_the_close_moves_the_balances_of_all_but_closed_accounts(database, tmp_path):
    """Rules 2, 3."""
    stage(
        database,
        tmp_path,
        an_account("1", "10.00"),
        an_account("2", "-5.00", "final"),
        an_account("3", "7.00", "closed"),
    )
    approve(database)

    assert Published(2, Money(5_00), already=False) == close(database, OCTOBER)

    assert [("1", OCTOBER, Money(10_00), Money(0)), ("2", OCTOBER, Money(-5_00), Money(0))] == (
        balances(database)
    )
    with database.reading() as connection:
        assert RunState.CLOSED is connection.execute(sa.select(tables.bill_run.c.state)).scalar()
        assert tuple(
            connection.execute(
                sa.select(tables.period_close.c.closed_by, tables.period_close.c.closed_at)
            ).one()
        ) == ("anna", NOW)
        query = sa.select(tables.audit.c.action).order_by(tables.audit.c.id)
        assert list(connection.execute(query).scalars()) == ["import", "close"]


def test_a_close_again_changes_nothing(database, tmp_path):
    stage(database, tmp_path, an_account("1", "10.00"))
    approve(database)
    first = close(database, OCTOBER)
    with database.writing() as connection:
        connection.execute(sa.update(tables.balance_due).values(paid=Money(4_00)))
        connection.execute(sa.update(tables.bill_run).values(state=RunState.FINISHED))

    again = close(database, OCTOBER)

    assert (first.accounts, first.amount, True) == (again.accounts, again.amount, again.already)
    assert [("1", OCTOBER, Money(10_00), Money(4_00))] == balances(database)
    with database.reading() as connection:
        assert RunState.FINISHED is connection.execute(sa.select(tables.bill_run.c.state)).scalar()


@pytest.mark.parametrize("state", [RunState.STAGED, RunState.REFUSED, RunState.WAITING])
def test_nothing_is_closed_without_an_approval(database, tmp_path, state):
    """Rule 1."""
    stage(database, tmp_path, an_account("1", "10.00"))
    with database.writing() as connection:
        connection.execute(sa.update(tables.bill_run).values(state=state))

    with pytest.raises(Refused, match=f"2026-10 is {state}, not approved") as refused:
        close(database, OCTOBER)

    assert (refused.value.code, balances(database)) == ("not-approved", [])


def test_a_period_that_was_never_imported_cannot_be_closed(database):
    with pytest.raises(Misuse, match="There is no period 2026-10"):
        close(database, OCTOBER)


def test_the_next_period_takes_the_place_of_the_last(database, tmp_path):
    stage(database, tmp_path, an_account("1", "10.00"), an_account("2", "20.00"))
    approve(database)
    close(database, OCTOBER)
    with database.writing() as connection:
        connection.execute(sa.update(tables.balance_due).values(paid=Money(4_00)))

    stage(database, tmp_path, an_account("1", "11.00"), bundle=LATER)
    approve(database)
    close(database, NOVEMBER)

    assert [("1", NOVEMBER, Money(11_00), Money(0)), ("2", OCTOBER, Money(20_00), Money(4_00))] == (
        balances(database)
    )


def test_an_older_period_never_takes_the_place_of_a_later_one(database, tmp_path):
    stage(database, tmp_path, an_account("1", "11.00"), bundle=LATER)
    approve(database)
    close(database, NOVEMBER)

    stage(database, tmp_path, an_account("1", "10.00"), an_account("2", "20.00"))
    approve(database)
    close(database, OCTOBER)

    assert [("1", NOVEMBER, Money(11_00), Money(0)), ("2", OCTOBER, Money(20_00), Money(0))] == (
        balances(database)
    )


def test_no_balance_is_looked_for_among_those_that_are_being_written(database, tmp_path):
    stage(database, tmp_path, *(an_account(str(number), "10.00") for number in range(1, 40)))
    approve(database)
    with database.writing() as connection:
        connection.exec_driver_sql("ANALYZE")  # the books count no balance, as before a first close
    plans = []
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"

    def note(_connection, cursor, statement, parameters, _context, _many):
        if statement.startswith("INSERT INTO balance_due"):
            cursor.execute(f"{explain} {statement}", parameters)
            plans.extend(str(row).lower() for row in cursor.fetchall())

    sa.event.listen(database.engine, "before_cursor_execute", note)
    close(database, OCTOBER)

    assert plans
    assert [] == [line for line in plans if "scan" in line and "balance_due" in line]


def test_a_close_that_is_interrupted_has_not_happened(database, tmp_path):
    stage(database, tmp_path, an_account("1", "10.00"))
    approve(database)

    with database.writing() as connection:
        tables.audit.drop(connection)  # the last thing a close writes

    with pytest.raises(sa.exc.DBAPIError):
        close(database, OCTOBER)

    assert balances(database) == []
    tables.audit.create(database.engine)
    assert not close(database, OCTOBER).already
