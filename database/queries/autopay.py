"""Autopay payments that are planned in a closed period and stand on no list yet (rule 82)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.ledger.tables import payment_event
from database.queries.balances import is_owed
from database.tables import (
    account,
    balance_due,
    bill_run,
    draw,
    gateway_payment,
    period_close,
    planned_payment,
    scheduled_payment,
)
from domain.accounts import AccountStatus
from domain.corrections import PERIOD_UNDONE
from domain.ledger import EntryKind
from domain.payments import DrawState, MethodKind
from rules.money.returns import CODES, LIMITS, RATE_WINDOW, ReturnKind, ReturnRate, return_rates

CODE = "autopay-left-out"
MESSAGE = "its autopay payment is not scheduled yet; run `billclose schedule-autopay` again"


def payments_left_out(period: str | None = None) -> sa.Select[Any]:
    """
    Select whom the schedule left out, as `list exceptions` shows them, of a period or of all.

    The schedule was forgotten, or a person chose to leave them out; a later one schedules them.
    Who has paid meanwhile is gone from the list, and who has enrolled anew or ended autopay.
    """
    plan = planned_payment.c
    same_account = sa.and_(
        balance_due.c.period == plan.period, balance_due.c.account_key == plan.account_key
    )
    has_payment = sa.exists().where(
        scheduled_payment.c.period == plan.period,
        scheduled_payment.c.account_key == plan.account_key,
        sa.func.coalesce(scheduled_payment.c.error, "") != PERIOD_UNDONE,
    )
    query = (
        sa.select(
            plan.account,
            sa.literal("autopay").label("stage"),
            sa.literal(CODE).label("code"),
            sa.literal(MESSAGE).label("message"),
            plan.period.label("period"),
            plan.account_key.label("_account_key"),
            sa.literal(0).label("_position"),
        )
        .join(period_close, period_close.c.period == plan.period)
        .join(balance_due, same_account)
        .where(
            plan.pay_on.is_not(None),
            is_owed(),
            ~has_payment,
        )
    )
    return query if period is None else query.where(plan.period == period)


_DRAWN = draw.join(gateway_payment, gateway_payment.c.key == draw.c.payment_key)  # by hand, too
_CAME_BACK = sa.and_(
    payment_event.c.draw_key == draw.c.key, payment_event.c.kind == EntryKind.RETURN
)
_IS_ACH = sa.and_(
    gateway_payment.c.method_kind == MethodKind.ACH, draw.c.state == DrawState.APPROVED
)


def read_return_rates(books: Connection, now: datetime | None = None) -> tuple[ReturnRate, ...]:
    """
    Return the rates that Nacha watches, counted by the day of the draw and not of its return.

    A return that comes late belongs to the weeks in which the draw was originated. `now` None:
    the weeks up to the newest draw.
    """
    until = now or books.scalar(
        sa.select(sa.func.max(draw.c.answered_at)).select_from(_DRAWN).where(_IS_ACH)
    )
    if until is None:
        return return_rates(0, {})
    window = (_IS_ACH, draw.c.answered_at > until - RATE_WINDOW, draw.c.answered_at <= until)
    originated = sa.select(sa.func.count()).select_from(_DRAWN).where(*window)
    returned = (
        sa.select(payment_event.c.code, sa.func.count().label("times"))
        .select_from(_DRAWN.join(payment_event, _CAME_BACK))
        .where(*window)
        .group_by(payment_event.c.code)
    )
    times = {row.code: row.times for row in books.execute(returned)}
    return return_rates(books.scalar(originated) or 0, times)


def rates_by_period() -> sa.Select[Any]:
    """Select how many of each period's ACH draws came back, by kind, beside what Nacha allows."""
    return sa.select(sa.union_all(*(_of_kind(kind) for kind in ReturnKind)).subquery())


def _of_kind(kind: ReturnKind) -> sa.Select[Any]:
    code = payment_event.c.code
    is_counted = code.in_(CODES[kind]) if kind in CODES else code.is_not(None)
    returned = sa.func.count().filter(is_counted)
    rate = sa.func.round(sa.cast(100.0 * returned / sa.func.count(), sa.Numeric(9, 4)), 2)
    return (
        sa.select(
            gateway_payment.c.period.label("period"),
            sa.literal(kind.value).label("kind"),
            returned.label("returned"),
            sa.func.count().label("originated"),
            sa.cast(rate, sa.Float).label("rate_percent"),
            sa.literal(float(100 * LIMITS[kind]), sa.Float).label("limit_percent"),
        )
        .select_from(_DRAWN.outerjoin(payment_event, _CAME_BACK))
        .where(_IS_ACH)
        .group_by(gateway_payment.c.period)
    )


def is_varying(payment: sa.Table, period: str) -> sa.ColumnElement[bool]:
    """
    Claim that a payment of a run draws another amount from a bank account than the period before.

    `payment` is planned_payment or scheduled_payment. An equal-pay amount is agreed and exempt;
    a first draw varies. The check `notice-short` asks the same.
    """
    earlier = scheduled_payment.alias("earlier")
    as_before = sa.exists().where(
        earlier.c.period == _period_before(payment, period),
        earlier.c.account_key == payment.c.account_key,
        earlier.c.number == 1,
        earlier.c.amount == payment.c.amount,
    )
    payer = account.alias("payer")
    is_agreed = sa.exists().where(
        payer.c.period == period,
        payer.c.account_key == payment.c.account_key,
        payer.c.status == AccountStatus.ACTIVE,
        payer.c.equal_pay_amount.is_not(None),
    )
    return sa.and_(payment.c.method_kind == MethodKind.ACH, ~as_before, ~is_agreed)


def _period_before(payment: sa.FromClause, period: str) -> sa.ScalarSelect[Any]:
    """The last closed run of the payment's own account before a run: each cycle has its own."""
    this, before, billed = bill_run.alias("this"), bill_run.alias("before"), account.alias("billed")
    query = (
        sa.select(before.c.period)
        .join(period_close, period_close.c.period == before.c.period)
        .join(billed, billed.c.period == before.c.period)
        .join(this, this.c.period == period)
        .where(
            before.c.starts_on < this.c.starts_on,
            billed.c.account_key == payment.c.account_key,
            billed.c.status != AccountStatus.CLOSED,
        )
        .order_by(before.c.starts_on.desc(), before.c.period)
        .correlate(payment)
    )
    return query.limit(1).scalar_subquery()
