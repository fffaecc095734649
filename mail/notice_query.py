"""The query for what is known of the accounts and payments behind notices."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.tables import (
    account,
    balance_due,
    bill_run,
    draw,
    payment_method,
    payment_return,
    period_close,
    planned_payment,
    posting,
    scheduled_payment,
)
from domain.payments import PaymentState, PostingKind


def select_facts(wanted: sa.Subquery) -> sa.Select[Any]:
    """Select a row for each wanted notice; without a run it is about the newest closed one."""
    newest = (
        sa.select(period_close.c.run)
        .join(bill_run, bill_run.c.run == period_close.c.run)
        .order_by(bill_run.c.ends_on.desc(), period_close.c.run.desc())
        .limit(1)
        .scalar_subquery()
    )
    run = sa.func.coalesce(wanted.c.run, newest)
    returned = scheduled_payment.alias("returned")
    came_back = sa.func.coalesce(returned.c.key, scheduled_payment.c.key)
    token = sa.func.coalesce(scheduled_payment.c.method_token, planned_payment.c.method_token)

    def of_the_account(table: sa.Table) -> sa.ColumnElement[bool]:
        return sa.and_(table.c.run == bill_run.c.run, table.c.account_key == wanted.c.account_key)

    return (
        sa.select(
            wanted.c.key,
            wanted.c.address,
            wanted.c.source,
            bill_run.c.utility,
            bill_run.c.timezone,
            bill_run.c.run,
            bill_run.c.due_on.label("run_due_on"),
            account.c.name,
            account.c.service_address,
            balance_due.c.amount_due,
            balance_due.c.paid,
            balance_due.c.due_on,
            scheduled_payment.c.amount,
            scheduled_payment.c.pay_on,
            scheduled_payment.c.state,
            scheduled_payment.c.taken_at,
            scheduled_payment.c.confirmation,
            scheduled_payment.c.error,
            posting.c.receipt,
            draw.c.state.label("draw_state"),
            draw.c.answered_at,
            draw.c.code,
            draw.c.advice,
            payment_return.c.code.label("return_code"),
            payment_return.c.happened_at,
            sa.func.coalesce(
                scheduled_payment.c.method_kind,
                planned_payment.c.method_kind,
                type_=scheduled_payment.c.method_kind.type,
            ).label("method_kind"),
            sa.func.coalesce(scheduled_payment.c.last4, planned_payment.c.last4).label("last4"),
            payment_method.c.portal_user,
        )
        .select_from(wanted)
        .join(bill_run, bill_run.c.run == run)
        .outerjoin(account, of_the_account(account))
        .outerjoin(balance_due, of_the_account(balance_due))
        .outerjoin(
            scheduled_payment,
            sa.and_(
                of_the_account(scheduled_payment), scheduled_payment.c.number == _last_payment()
            ),
        )
        .outerjoin(
            posting,
            sa.and_(
                posting.c.payment_key == scheduled_payment.c.key,
                posting.c.kind == PostingKind.RECEIPT,
            ),
        )
        .outerjoin(
            draw,
            sa.and_(draw.c.payment_key == scheduled_payment.c.key, draw.c.number == _last_draw()),
        )
        .outerjoin(returned, _was_returned_before(returned))
        .outerjoin(payment_return, payment_return.c.payment_key == came_back)
        .outerjoin(planned_payment, of_the_account(planned_payment))
        .outerjoin(
            payment_method,
            sa.and_(payment_method.c.run == bill_run.c.run, payment_method.c.token == token),
        )
    )


def _last_payment() -> sa.ScalarSelect[int]:
    """The number of the payment that speaks: one that is drawn again after a return has another."""
    other = scheduled_payment.alias("other_payment")
    return (
        sa.select(sa.func.max(other.c.number))
        .where(other.c.run == bill_run.c.run, other.c.account_key == account.c.account_key)
        .scalar_subquery()
    )


def _was_returned_before(returned: sa.FromClause) -> sa.ColumnElement[bool]:
    """Claim that a payment waits to be drawn again after the one before it came back."""
    return sa.and_(
        returned.c.run == scheduled_payment.c.run,
        returned.c.account_key == scheduled_payment.c.account_key,
        returned.c.number == scheduled_payment.c.number - 1,
        scheduled_payment.c.state == PaymentState.SCHEDULED,
        draw.c.key.is_(None),
    )


def _last_draw() -> sa.ScalarSelect[int]:
    other = draw.alias("other")
    return (
        sa.select(sa.func.max(other.c.number))
        .where(other.c.payment_key == scheduled_payment.c.key)
        .correlate(scheduled_payment)
        .scalar_subquery()
    )
