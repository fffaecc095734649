"""Draws of a changed amount: what a customer must hear of before it is drawn."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.tables import account, bill_run, period_close, scheduled_payment
from domain.accounts import AccountStatus
from domain.payments import MethodKind


def is_varying(payment: sa.Table, run: str) -> sa.ColumnElement[bool]:
    """
    Claim that a payment of a run draws another amount from a bank account than the period before.

    `payment` is planned_payment or scheduled_payment. An equal-pay amount is agreed and exempt;
    a first draw varies. The check `notice-short` asks the same.
    """
    earlier = scheduled_payment.alias("earlier")
    as_before = sa.exists().where(
        earlier.c.run == _previous_run(run),
        earlier.c.account_key == payment.c.account_key,
        earlier.c.number == 1,
        earlier.c.amount == payment.c.amount,
    )
    payer = account.alias("payer")
    is_agreed = sa.exists().where(
        payer.c.run == run,
        payer.c.account_key == payment.c.account_key,
        payer.c.status == AccountStatus.ACTIVE,
        payer.c.equal_pay_amount.is_not(None),
    )
    return sa.and_(payment.c.method_kind == MethodKind.ACH, ~as_before, ~is_agreed)


def _previous_run(run: str) -> sa.ScalarSelect[Any]:
    """The closed run before a run."""
    this, before = bill_run.alias("this"), bill_run.alias("before")
    query = (
        sa.select(before.c.run)
        .join(period_close, period_close.c.run == before.c.run)
        .join(this, this.c.run == run)
        .where(before.c.starts_on < this.c.starts_on)
        .order_by(before.c.starts_on.desc(), before.c.run)
    )
    return query.limit(1).scalar_subquery()
