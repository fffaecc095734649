"""A year of entries in the books: a balance and a close look at what is outstanding alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa

from billing_system.closing import publish
from database.books import Database, insert_rows
from database.ledger.entries import record_entries
from database.ledger.tables import balance_entry
from database.queries.balances import read_open_balance
from database.tables import bill_run
from domain.ledger import ContainedBy, EntryKind, EntrySource
from domain.money import Money
from domain.runs import RunState
from tests.builders import DUE, NOW, RUN, a_household, an_entry, close_run, stage_run

ACCOUNTS, ENTRIES = 2_000, 24  # two a month: 48,000 in all
NEXT = "2026-11"
COLUMNS = (
    "key", "account_key", "kind", "amount", "counts", "happened_on", "recorded_at", "recorded_by",
    "source", "reference", "in_export_of", "how",
)  # fmt: skip


@pytest.fixture
def books(database: Database) -> Database:
    """A city that closed October; of the year before it has 48,000 entries, of autumn 200 new."""
    city = [a_household(str(one), mandates=()) for one in range(ACCOUNTS)]
    stage_run(database, *city)
    close_run(database)
    stage_run(database, *city, period=NEXT, ends_on=date(2026, 11, 30), due_on=date(2026, 12, 18))
    with database.writing() as writing:
        insert_rows(writing, balance_entry, COLUMNS, _year())
        fresh = [an_entry(f"taken/{one}", account_key=str(one)) for one in range(200)]
        record_entries(writing, fresh, now=NOW, who="anna")
        approved = bill_run.update().where(bill_run.c.period == NEXT)
        writing.execute(approved.values(state=RunState.APPROVED))
    with database.writing() as writing:
        writing.exec_driver_sql("ANALYZE")
    return database


def _year() -> Iterator[tuple[Any, ...]]:
    alike = (EntryKind.PAYMENT, Money(-10_00), True, DUE, NOW, "anna", EntrySource.FEED)
    for account, number in product(range(ACCOUNTS), range(ENTRIES)):
        name = f"{account}-{number}"
        yield f"feed/{name}", str(account), *alike, f"R{name}", RUN, ContainedBy.TIME


@contextmanager
def plans_of(books: Database) -> Iterator[list[str]]:
    """Collect how the database goes about each statement that is about entries."""
    lines = list[str]()
    explain = "EXPLAIN QUERY PLAN " if books.is_sqlite else "EXPLAIN "

    def ask(_connection: Any, cursor: Any, statement: str, given: Any, _context: Any, many: bool):
        if "balance_entry" in statement:
            beside = cursor.connection.cursor()
            beside.execute(explain + statement, given[0] if many else given)
            lines.extend(str(row[-1]).strip() for row in beside.fetchall())

    sa.event.listen(books.engine, "before_cursor_execute", ask)
    yield lines
    sa.event.remove(books.engine, "before_cursor_execute", ask)


def goes_through_all(line: str) -> bool:
    """Tell a scan of the table from a search, and from the index of what is outstanding."""
    is_scan = line.startswith("SCAN balance_entry") or "Seq Scan on balance_entry" in line
    return is_scan and "ix_balance_entry_outstanding" not in line


def test_neither_a_balance_nor_a_close_goes_through_a_year_of_entries(books):
    with plans_of(books) as read, books.reading() as reading:
        read_open_balance(reading, "1")
    with plans_of(books) as closed:
        publish(books, NEXT, now=NOW, who="anna")

    assert [] == read
    assert [line for line in closed if "balance_entry" in line]
    assert [] == [line for line in closed if goes_through_all(line)]
