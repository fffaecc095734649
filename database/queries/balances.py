"""What an account owes now: the one answer that everything takes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import balance_due, draw, scheduled_payment
from database.types import Cents
from domain.money import ZERO, Money
from domain.payments import DrawState

NOTHING = sa.literal(ZERO, Cents())
ON_ITS_WAY = (DrawState.CREATED, DrawState.ASKED)  # asked for, or about to be, and not answered


def open_balance(of: sa.FromClause = balance_due) -> sa.ColumnElement[Any]:
    """
    Give the open balance of a row of balance_due: amount due, and what moved since.

    One row by its primary key. `of` is balance_due or an alias of it. Below zero is a credit.
    """
    return sa.type_coerce(of.c.amount_due + of.c.added - of.c.paid, Cents())


def is_owed(of: sa.FromClause = balance_due) -> sa.ColumnElement[bool]:
    """Claim that a balance is above zero."""
    return open_balance(of) > NOTHING


def on_its_way(account_key: sa.ColumnElement[str]) -> sa.ColumnElement[Any]:
    """
    Give the sum of an account's draws that are asked for and not answered.

    It is no money yet. What can be paid or drawn is the open balance less this.
    """
    total = sa.func.coalesce(sa.func.sum(draw.c.amount, type_=Cents()), NOTHING)
    return (
        sa.select(sa.type_coerce(total, Cents()))
        .join_from(draw, scheduled_payment, scheduled_payment.c.key == draw.c.payment_key)
        .where(scheduled_payment.c.account_key == account_key, draw.c.state.in_(ON_ITS_WAY))
        .scalar_subquery()
    )


def read_open_balance(books: Connection, account_key: str) -> Money:
    """Return what an account owes now; zero where nothing of it was ever closed or paid."""
    query = sa.select(open_balance()).where(balance_due.c.account_key == account_key)
    found: Money | None = books.scalar(query)
    return found or ZERO


def read_on_its_way(books: Connection, account_key: str) -> Money:
    """Return what is asked of the gateway for an account and not answered."""
    found: Money | None = books.scalar(sa.select(on_its_way(sa.literal(account_key))))
    return found or ZERO
