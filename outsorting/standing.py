"""One account's bill of a period, locked, as whoever holds or releases it must know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.ledger.locking import lock_balances
from database.queries.periods import is_period_closed, require_account, require_period
from database.tables import balance_due, outsorted_bill
from domain.accounts import AccountStatus, account_key
from domain.money import Money


@dataclass(frozen=True, slots=True)
class BillStanding:
    """An account's bill of a period; `due_on` is the period's due date, a local date."""

    period: str
    key: str
    account: str
    amount_due: Money
    due_on: date
    timezone: str
    is_closed: bool  # the period is
    is_account_closed: bool
    standing_for: str | None  # the period that the account's balance stands for
    holds: tuple[Any, ...]  # rows of those who hold it now
    was_released: bool

    @property
    def is_held(self) -> bool:
        return bool(self.holds)


def lock_bill(books: Connection, number: str, period: str) -> BillStanding:
    """
    Wait for whoever closes the period, schedules its autopay or moves the account's money.

    Raises Misuse for a period that was not imported, or an account that is not in it.
    """
    run = require_period(books, period, lock=True)
    key = account_key(number)
    billed = require_account(books, period, number)
    is_closed = is_period_closed(books, period)
    if is_closed:
        lock_balances(books, [key])
    held = _holds(books, period, key)
    return BillStanding(
        period=period,
        key=key,
        account=billed.account,
        amount_due=billed.amount_due,
        due_on=run.due_on,
        timezone=run.timezone,
        is_closed=is_closed,
        is_account_closed=billed.status is AccountStatus.CLOSED,
        standing_for=books.scalar(
            sa.select(balance_due.c.period).where(balance_due.c.account_key == key)
        ),
        holds=tuple(row for row in held if row.released_at is None),
        was_released=any(row.released_at is not None for row in held),
    )


def _holds(books: Connection, period: str, key: str) -> list[Any]:
    rows = outsorted_bill.c
    query = sa.select(outsorted_bill).where(rows.period == period, rows.account_key == key)
    return list(books.execute(query.order_by(rows.number)))
