"""The rows under whose locks money moves: made where they are missing, and who waits for whom."""

from __future__ import annotations

import threading
from datetime import date

import pytest
import sqlalchemy as sa

from database.ledger import locking
from database.ledger.locking import lock_all_balances, lock_balances
from database.tables import balance_due, bill_run
from domain.money import ZERO
from tests.builders import a_household, stage_run
from tests.database.two_sessions import Session, is_anybody_waiting, together, wait_until


def rows_of(database):
    query = sa.select(balance_due.c.account_key, balance_due.c.account, balance_due.c.amount_due)
    with database.reading() as books:
        return [tuple(row) for row in books.execute(query.order_by(balance_due.c.account_key))]


def test_a_row_that_is_missing_is_made_once_as_somebody_writes_its_number(database, monkeypatch):
    monkeypatch.setattr(locking, "SOME", 2)  # keys that one statement names

    with database.writing() as books:
        lock_balances(books, ["3", "1", "2", "1"], {"1": "0.1", "9": "0.9"})
        lock_balances(books, ["1", "4"], {"1": "other"})

    assert [("1", "0.1", ZERO), ("2", "2", ZERO), ("3", "3", ZERO), ("4", "4", ZERO)] == (
        rows_of(database)
    )


def test_a_number_is_written_as_the_newest_export_that_has_the_account_does(database):
    stage_run(
        database,
        a_household("0.1"),
        a_household("0.2"),
        period="2026-11",
        ends_on=date(2026, 11, 30),
    )
    stage_run(database, a_household("01"), a_household("9.9"))
    with database.writing() as books:
        assert 2 == books.scalar(sa.select(sa.func.count()).select_from(bill_run))
        lock_balances(books, ["01", "02"], {"01": "told"})

    assert [("01", "0.1", ZERO), ("02", "0.2", ZERO)] == rows_of(database)


def test_nothing_is_locked_of_nothing(database):
    with database.writing() as books:
        lock_balances(books, [])

    assert [] == rows_of(database)


KEYS = [str(key) for key in range(9, 0, -1)]  # as their rows lie, which is no order of locks


@pytest.fixture
def rows(database):
    if database.is_sqlite:
        pytest.skip("one session writes at a time on SQLite")
    with database.writing() as books:
        for key in KEYS:
            row = {"account_key": key, "account": key, "amount_due": ZERO}
            books.execute(balance_due.insert(), row)
    return database


def free_of(database) -> set[str]:
    """The accounts that nobody else has locked."""
    query = sa.select(balance_due.c.account_key).with_for_update(skip_locked=True)
    with database.writing() as books:
        return set(books.scalars(query))


def test_the_accounts_that_are_named_are_locked_and_no_others(rows):
    with rows.writing() as books:
        lock_balances(books, ["4", "2"])

        assert set(KEYS) - {"2", "4"} == free_of(rows)


@pytest.mark.parametrize("some", [1, 500], ids=["a statement each", "one statement"])
def test_who_waits_for_an_account_holds_none_of_those_after_it(rows, monkeypatch, some):
    monkeypatch.setattr(locking, "SOME", some)
    waiting = Session(rows, lambda books: lock_balances(books, KEYS))
    thread = threading.Thread(target=waiting.run)

    with rows.writing() as books:
        lock_balances(books, ["1"])
        thread.start()
        wait_until(lambda: is_anybody_waiting(rows))
        free = free_of(rows)
    thread.join()

    assert {"2", "3", "4", "5", "6", "7", "8", "9"} == free


def test_a_row_that_another_one_was_quicker_to_make_is_locked_as_well(rows):
    def lock_and_look() -> set[str]:
        with rows.writing() as books:
            lock_balances(books, ["new"])
            return free_of(rows)

    free = together(rows, lambda books: lock_balances(books, ["new"]), lock_and_look)

    assert set(KEYS) == free


def test_while_all_balances_are_locked_nobody_else_moves_money_and_readers_go_on(rows):
    moving = "LOCK TABLE balance_due IN ROW EXCLUSIVE MODE NOWAIT"
    with rows.writing() as books:
        lock_all_balances(books)

        with pytest.raises(sa.exc.OperationalError), rows.writing() as other:
            other.exec_driver_sql(moving)
        assert len(KEYS) == len(rows_of(rows))
    with rows.writing() as other:
        other.exec_driver_sql(moving)
