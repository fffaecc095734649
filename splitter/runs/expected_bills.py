"""Which accounts should have a bill and have none, and in which orders an office prints."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import account, movement
from domain.accounts import AccountStatus, account_key
from domain.bills import PageAssignment
from domain.movements import MovementKind
from splitter.runs.missing_bills import Order


def accounts_without_bill(
    books: Connection, period: str, found: Iterable[PageAssignment]
) -> dict[str, str]:
    """Return the accounts that were billed and are in none of these bills, by their keys."""
    billed = sa.select(movement.c.account_key).where(
        movement.c.period == period, movement.c.kind == MovementKind.BILLING
    )
    rows = books.execute(
        sa.select(account.c.account_key, account.c.account)
        .where(
            account.c.period == period,
            account.c.status != AccountStatus.CLOSED,
            account.c.account_key.in_(billed),
        )
        .order_by(account.c.account_key)
    )
    have_one = {account_key(bill.account) for part in found for bill in part.bills}
    return {row.account_key: row.account for row in rows if row.account_key not in have_one}


def orders_of_accounts(books: Connection, period: str) -> list[Order]:
    """
    Return the orders in which bulk files are printed: each account's place in each of them.

    By account number, as the export lists them, by name, by ZIP code and address, by service
    address, by district and account number.
    """
    one = account.c
    rows = books.execute(
        sa.select(
            one.account_key,
            one.line,
            one.name,
            one.last_name,
            one.zip,
            one.mailing_address,
            one.service_address,
            one.district,
        ).where(one.period == period)
    ).all()
    sorted_ways = (
        sorted(rows, key=lambda row: row.account_key),
        sorted(rows, key=lambda row: row.line),
        sorted(rows, key=lambda row: (row.last_name.casefold(), row.name.casefold())),
        sorted(rows, key=lambda row: row.name.casefold()),
        sorted(rows, key=lambda row: (row.zip, row.mailing_address.casefold())),
        sorted(rows, key=lambda row: row.service_address.casefold()),
        sorted(rows, key=lambda row: (row.district.casefold(), row.account_key)),
    )
    return [{row.account_key: place for place, row in enumerate(way)} for way in sorted_ways]
