"""Payments whose day has come, with everything that decides about them, out of the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from database.mandates import mandates_in_force
from database.tables import (
    account,
    balance_due,
    bill_run,
    draw,
    held_account,
    scheduled_payment,
    suspended_method,
)
from domain.accounts import AccountStatus
from domain.money import ZERO
from domain.payments import DrawState, PaymentState
from rules.balances import open_balance
from rules.drawing import Drawable

_PAYMENT = scheduled_payment.c


def due_keys(run: str, today: date) -> sa.Select[Any]:
    """
    Select the keys of a run's due payments and of their accounts, in the payments' order.

    Those with an open draw of their own are left out.
    """
    return (
        sa.select(_PAYMENT.key, _PAYMENT.account_key)
        .where(_PAYMENT.run == run, *_is_due(today))
        .order_by(_PAYMENT.key)
    )


def due_payments(
    run: str, today: date, due: Sequence[Any], *, locked: bool = True
) -> sa.Select[Any]:
    """
    Select some of the `due_keys` with all that decides about them, as far as they are due still.

    Status and blocks are those of the newest export that has the account: a block set since then
    is honored (rule 138). Some at a time: everybody's mandates for each batch would make a large
    town's draws dearer than a small one's.
    """
    newest = account.alias("newest")
    in_force = mandates_in_force(run, [row.account_key for row in due])
    query = (
        sa.select(
            *(_PAYMENT[name] for name in ("key", "run", "account", "amount", "method_token")),
            _PAYMENT.number,
            _last_draw().label("last_draw"),
            _PAYMENT.method_kind,
            newest.c.status,
            newest.c.direct_pay,
            newest.c.block_ach,
            newest.c.block_card,
            account.c.status.label("billed_status"),
            account.c.equal_pay_amount,
            balance_due.c.amount_due,
            balance_due.c.paid,
            in_force.c.maximum,
            in_force.c.pays_up_to_maximum,
            in_force.c.account_key.is_(None).label("is_mandate_ended"),
            sa.exists().where(_of_the_payment(held_account)).label("is_held"),
            sa.exists()
            .where(suspended_method.c.method_token == _PAYMENT.method_token)
            .label("is_suspended"),
            _is_in_doubt().label("is_in_doubt"),
        )
        .join(account, _of_the_payment(account))
        .join(
            newest,
            sa.and_(newest.c.account_key == _PAYMENT.account_key, newest.c.run == _newest_run()),
        )
        .outerjoin(balance_due, _of_the_payment(balance_due))
        .outerjoin(
            in_force,
            sa.and_(
                in_force.c.account_key == _PAYMENT.account_key,
                in_force.c.method_token == _PAYMENT.method_token,
            ),
        )
        .where(_PAYMENT.key.in_([row.key for row in due]), *_is_due(today))
        .order_by(_PAYMENT.key)
    )
    return query.with_for_update(of=scheduled_payment) if locked else query


def to_drawable(row: Any) -> Drawable:
    equal = row.billed_status is AccountStatus.ACTIVE and row.equal_pay_amount is not None
    owed = None if row.amount_due is None else open_balance(row.amount_due, row.paid or ZERO)
    return Drawable(
        amount=row.amount,
        open_balance=owed,
        method_kind=row.method_kind,
        status=row.status,
        maximum=row.maximum,
        pays_up_to_maximum=row.pays_up_to_maximum,
        pays_equal_amount=equal,
        direct_pay=row.direct_pay,
        block_ach=row.block_ach,
        block_card=row.block_card,
        is_held=row.is_held,
        is_mandate_ended=row.is_mandate_ended,
        is_suspended=row.is_suspended,
        is_in_doubt=row.is_in_doubt,
        is_again=row.number > 1,
    )


_OPEN = (DrawState.CREATED, DrawState.ASKED, DrawState.APPROVED)


def _is_due(today: date) -> tuple[sa.ColumnElement[bool], ...]:
    has_draw = sa.exists().where(draw.c.payment_key == _PAYMENT.key, draw.c.state.in_(_OPEN))
    return (_PAYMENT.state == PaymentState.SCHEDULED, _PAYMENT.pay_on <= today, ~has_draw)


def _of_the_payment(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.run == _PAYMENT.run, table.c.account_key == _PAYMENT.account_key)


def _newest_run() -> sa.ScalarSelect[str]:
    """The newest export that has the payment's account."""
    having = account.alias("having")
    query = (
        sa.select(bill_run.c.run)
        .where(
            sa.exists()
            .where(having.c.run == bill_run.c.run, having.c.account_key == _PAYMENT.account_key)
            .correlate(bill_run, scheduled_payment)
        )
        .order_by(bill_run.c.ends_on.desc())
        .limit(1)
    )
    return query.correlate(scheduled_payment).scalar_subquery()


def _last_draw() -> sa.ScalarSelect[int]:
    """The number of the payment's newest draw, 0 before the first."""
    newest = sa.func.coalesce(sa.func.max(draw.c.number), 0)
    return sa.select(newest).where(draw.c.payment_key == _PAYMENT.key).scalar_subquery()


def _is_in_doubt() -> sa.Exists:
    other = scheduled_payment.alias("other")
    return sa.exists().where(
        other.c.account_key == _PAYMENT.account_key,
        other.c.key != _PAYMENT.key,
        draw.c.payment_key == other.c.key,
        draw.c.state.in_((DrawState.CREATED, DrawState.ASKED)),
    )
