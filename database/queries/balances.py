"""What an account owes now: the one answer that everything takes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import checkout, checkout_line
from database.ledger.tables import feed_file
from database.tables import balance_due, bill_run, draw, gateway_payment
from database.types import Cents, Moment, written_out
from domain.money import ZERO, Money
from domain.payments import DrawState, PaymentKind

NOTHING = sa.literal(ZERO, Cents())
ON_ITS_WAY = (DrawState.CREATED, DrawState.ASKED)  # asked for, or about to be, and not answered


def open_balance(of: sa.FromClause = balance_due) -> sa.ColumnElement[Any]:
    """
    Give the open balance of a row of balance_due: amount due, and what moved since.

    One row by its primary key. `of` is balance_due or an alias of it. Below zero is a credit.
    """
    return sa.type_coerce(of.c.amount_due + of.c.added - of.c.paid, Cents())


def stands_with(of: sa.FromClause) -> sa.ColumnElement[bool]:
    """
    Claim that a row of an account and a period is of the bill that its balance stands with.

    That is its newest one: of the periods before, nothing is owed for itself any more.
    """
    return sa.and_(
        balance_due.c.account_key == of.c.account_key, balance_due.c.period == of.c.period
    )


def is_owed(of: sa.FromClause = balance_due) -> sa.ColumnElement[bool]:
    """Claim that a balance is above zero."""
    return open_balance(of) > NOTHING


def on_its_way(account_key: sa.ColumnElement[str]) -> sa.ColumnElement[Any]:
    """
    Give the sum of an account's draws that are asked for and not answered, whoever began them.

    Without service fees, which pay nothing of the account, and of a customer's payment only the
    line of the account. It is no money yet. What can be paid or drawn is the open balance less
    this.
    """
    of_autopay = (
        sa.select(_sum(draw.c.amount))
        .join_from(draw, gateway_payment, gateway_payment.c.key == draw.c.payment_key)
        .where(
            gateway_payment.c.account_key == account_key,
            gateway_payment.c.kind == written_out(PaymentKind.AUTOPAY),
            draw.c.state.in_(ON_ITS_WAY),
        )
        .scalar_subquery()
    )
    by_hand = (
        sa.select(_sum(checkout_line.c.amount))
        .join_from(checkout_line, checkout, checkout.c.key == checkout_line.c.checkout)
        .join(draw, draw.c.payment_key == checkout.c.payment_key)
        .where(checkout_line.c.account_key == account_key, draw.c.state.in_(ON_ITS_WAY))
        .scalar_subquery()
    )
    return sa.type_coerce(of_autopay + by_hand, Cents())


def _sum(amount: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.type_coerce(sa.func.coalesce(sa.func.sum(amount, type_=Cents()), NOTHING), Cents())


def balances() -> sa.Select[Any]:
    """
    Select what each account owes now, as `list balances` shows it (contract 6).

    `as_of` is when the billing system last told what it knew: by a file of the feed, else by the
    account's newest export. An account without a closed period has no amount due.
    """
    newest = sa.select(sa.func.max(feed_file.c.written_at)).scalar_subquery()
    is_newer = sa.or_(bill_run.c.sure_until.is_(None), newest > bill_run.c.sure_until)
    way = on_its_way(balance_due.c.account_key)
    return sa.select(
        balance_due.c.account,
        balance_due.c.period.label("period"),
        balance_due.c.amount_due,
        balance_due.c.added,
        balance_due.c.paid,
        sa.type_coerce(way, Cents()).label("on_its_way"),
        open_balance().label("open"),
        sa.type_coerce(sa.case((is_newer, newest), else_=bill_run.c.sure_until), Moment()).label(
            "as_of"
        ),
        balance_due.c.due_on.label("due_date"),
        balance_due.c.account_key.label("_account_key"),
    ).outerjoin(bill_run, bill_run.c.period == balance_due.c.period)


def read_open_balance(books: Connection, account_key: str) -> Money:
    """Return what an account owes now; zero where nothing of it was ever closed or paid."""
    query = sa.select(open_balance()).where(balance_due.c.account_key == account_key)
    found: Money | None = books.scalar(query)
    return found or ZERO


def read_on_its_way(books: Connection, account_key: str) -> Money:
    """Return what is asked of the gateway for an account and not answered."""
    found: Money | None = books.scalar(sa.select(on_its_way(sa.literal(account_key))))
    return found or ZERO
