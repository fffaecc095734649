"""On which days money came that counts over a bill."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from database.ledger.entries import record_entries
from database.ledger.received import received_on
from database.tables import balance_due, bill_run
from domain.ledger import ContainedBy, EntryKind
from tests.builders import NOW, RUN, a_household, an_entry, close_run, stage_run


def november(day: int) -> date:
    return date(2026, 11, day)


def test_the_first_and_the_last_day_of_an_accounts_payments_that_no_bill_has(database):
    stage_run(database, a_household("1"), a_household("2"), a_household("3"))
    close_run(database)
    with database.reading() as books:
        sure = books.scalar(sa.select(bill_run.c.sure_until))
    entries = [
        an_entry(f"{key}/{day}", account_key=key, happened_on=november(day))
        for key, days in {"1": (5, 9, 7), "2": (3, 20)}.items()
        for day in days
    ]
    odd = [
        {"kind": EntryKind.FEE},
        {"counts": False},
        {"in_export_of": RUN, "how": ContainedBy.REFERENCE},
        {"told_at": sure - timedelta(seconds=1)},
    ]
    entries += [
        an_entry(f"odd/{number}/{day}", "5.00", happened_on=november(day), **changes)
        for number, changes in enumerate(odd)
        for day in (1, 29)
    ]
    with database.writing() as books:
        record_entries(books, entries, now=NOW, who="anna")

    first, last = received_on(balance_due.c.account_key, bill_run.c.sure_until)
    query = (
        sa.select(balance_due.c.account_key, first.label("first"), last.label("last"))
        .join(bill_run, bill_run.c.period == balance_due.c.period)
        .order_by(balance_due.c.account_key)
    )
    with database.reading() as books:
        found = [tuple(row) for row in books.execute(query)]

    assert [
        ("1", november(5), november(9)), ("2", november(3), november(20)), ("3", None, None)
    ] == found  # fmt: skip
