"""The rows under whose locks money moves: made where they are missing."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from database.ledger import locking
from database.ledger.locking import lock_balances
from database.tables import balance_due, bill_run
from domain.money import ZERO
from tests.builders import a_household, stage_run


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
