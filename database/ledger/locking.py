"""The locks under which money moves: balances first, in the order of their keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.inserting import insert_new
from database.tables import account, balance_due, bill_run
from domain.money import ZERO

SOME = 500  # keys that one statement names


def lock_balances(
    books: Connection, keys: Iterable[str], written: Mapping[str, str] | None = None
) -> None:
    """
    Wait for whoever moves money on these accounts, in the order of their keys.

    The order of locks, for everybody: bill_run, balances, payments, draws, postings, entries,
    audit. A row that is missing is made, so that there is always one to wait for. What decides is
    read by the *next* statement: under PostgreSQL's read committed a statement that waited for a
    row re-reads that row, and its sub-selects are of before. `written`: how somebody writes the
    numbers of accounts that no export may have.

    On SQLite the transaction is the only one that writes (BEGIN IMMEDIATE), so rows are only made.
    """
    ordered = sorted(set(keys))
    for first in range(0, len(ordered), SOME):
        some = ordered[first : first + SOME]
        known = set(books.scalars(_LOCKING, {"keys": some}))
        if missing := [key for key in some if key not in known]:
            _make(books, missing, written or {})
            books.scalars(_LOCKING, {"keys": missing}).all()


def lock_all_balances(books: Connection) -> None:
    """
    Let nobody else move money on any account until the transaction ends; readers go on.

    One lock in the place of hundreds of thousands, and also for rows that are still to come.
    """
    if books.dialect.name == "postgresql":
        books.exec_driver_sql("LOCK TABLE balance_due IN EXCLUSIVE MODE")


_KEY = balance_due.c.account_key
_LOCKING = (  # made once: thousands of draws lock anew, one after the other
    sa.select(_KEY)
    .where(_KEY.in_(sa.bindparam("keys", expanding=True)))
    .order_by(_KEY)
    .with_for_update()
)


def _make(books: Connection, keys: Sequence[str], written: Mapping[str, str]) -> None:
    """Make rows of accounts that no closed period has: nothing is billed, and money may come."""
    numbers = {**written, **_numbers(books, keys)}
    rows = [
        {"account_key": key, "account": numbers.get(key, key), "amount_due": ZERO} for key in keys
    ]
    books.execute(insert_new(books.dialect.name, balance_due), rows)


def _numbers(books: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Return how the newest export that has an account writes its number."""
    query: Any = (
        sa.select(account.c.account_key, account.c.account)
        .join(bill_run, bill_run.c.period == account.c.period)
        .where(account.c.account_key.in_(keys))
        .order_by(bill_run.c.ends_on)
    )
    return {row.account_key: row.account for row in books.execute(query)}
