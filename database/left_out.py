"""Autopay payments that are planned in a closed period and stand on no list yet (rule 82)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.tables import balance_due, period_close, planned_payment, scheduled_payment
from domain.money import ZERO

CODE = "autopay-left-out"
MESSAGE = "its autopay payment is not scheduled yet; run `billclose schedule-autopay` again"


def payments_left_out(run: str | None = None) -> sa.Select[Any]:
    """
    Select whom the schedule left out, as `list exceptions` shows them, of a period or of all.

    The schedule was forgotten, or a person chose to leave them out; a later one schedules them.
    Who has paid meanwhile is gone from the list, and who has enrolled anew or ended autopay.
    """
    plan = planned_payment.c
    same_account = sa.and_(
        balance_due.c.run == plan.run, balance_due.c.account_key == plan.account_key
    )
    has_payment = sa.exists().where(
        scheduled_payment.c.run == plan.run, scheduled_payment.c.account_key == plan.account_key
    )
    open_balance = balance_due.c.amount_due - balance_due.c.paid
    query = (
        sa.select(
            plan.account,
            sa.literal("autopay").label("stage"),
            sa.literal(CODE).label("code"),
            sa.literal(MESSAGE).label("message"),
            plan.run.label("period"),
            plan.account_key.label("_account_key"),
            sa.literal(0).label("_position"),
        )
        .join(period_close, period_close.c.run == plan.run)
        .join(balance_due, same_account)
        .where(
            plan.pay_on.is_not(None),
            open_balance > sa.literal(ZERO, balance_due.c.paid.type),
            ~has_payment,
        )
    )
    return query if run is None else query.where(plan.run == run)
