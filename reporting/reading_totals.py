"""A run's amounts, added up from the books."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import account, bill, bulk_file, movement
from domain.accounts import AccountStatus
from domain.money import ZERO, Money
from domain.movements import MovementKind
from domain.periods import NOTICE
from reporting.counting import count, total


def list_totals(books: Connection, run: str) -> dict[str, int | Money]:
    rows = books.execute(
        sa.select(movement.c.kind, sa.func.sum(movement.c.amount))
        .where(movement.c.run == run)
        .group_by(movement.c.kind)
    )
    moved = {row[0]: row[1] for row in rows}
    return {
        "accounts": count(books, account, run),
        "bills": count(books, bill, run, ~bill.c.form.endswith(NOTICE)),
        "opening_balance": total(books, account.c.opening_balance, account.c.run == run),
        "billed": moved.get(MovementKind.BILLING, ZERO),
        "payments": moved.get(MovementKind.PAYMENT, ZERO),
        "adjustments": moved.get(MovementKind.ADJUSTMENT, ZERO),
        "penalties": moved.get(MovementKind.PENALTY, ZERO),
        "closing_balance": total(books, account.c.closing_balance, account.c.run == run),
    }


def printed_total(books: Connection, run: str) -> Money:
    priced = _priced_bills(run).subquery()
    return total(books, priced.c.printed_amount_due)


def amount_due_total(books: Connection, run: str) -> Money:
    priced = _priced_bills(run).subquery()
    billed = sa.select(priced.c.account_key)
    has_priced = books.execute(sa.select(sa.exists(billed))).scalar_one()
    if not has_priced:
        billed = sa.select(bill.c.account_key).where(bill.c.run == run)
    return total(
        books, account.c.amount_due, account.c.run == run, account.c.account_key.in_(billed)
    )


def open_accounts_total(books: Connection, run: str) -> Money:
    """Add up what is due of the accounts that are not closed."""
    is_open = account.c.status != AccountStatus.CLOSED
    return total(books, account.c.amount_due, account.c.run == run, is_open)


def _priced_bills(run: str) -> sa.Select[Any]:
    """Select the bills whose amount was looked for: notices ask for what is owed already."""
    return (
        sa.select(bill.c.account_key, bill.c.printed_amount_due)
        .join(bulk_file, sa.and_(bulk_file.c.run == bill.c.run, bulk_file.c.bulk == bill.c.bulk))
        .where(
            bill.c.run == run,
            ~bill.c.form.endswith(NOTICE),
            bulk_file.c.amount_due_pattern.is_not(None),
        )
    )
