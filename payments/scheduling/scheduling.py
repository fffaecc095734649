"""The schedule-payments run: plans become scheduled payments, and the two lists are complete."""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.queries.autopay import is_varying, payments_left_out
from database.queries.mandates import mandates_in_force
from database.queries.outsorted import is_outsorted
from database.tables import (
    autopay_unscheduled,
    bill_run,
    draw,
    gateway_payment,
    period_close,
    planned_payment,
    scheduled_payment,
    suspended_method,
)
from database.types import written_out
from domain.failures import Refused
from domain.money import ZERO, Money
from domain.payments import PAYMENT, DrawState, PaymentKind, PaymentState, Unscheduled
from domain.schedule_groups import ScheduleGroup
from payments.scheduling.planning import ScheduleCounts, plan_autopay, was_undone
from rules.money.autopay import AutopayPolicy

_PLAN = planned_payment.c
OVER_MAXIMUM = "over-maximum"  # shown beside the groups, and never to be chosen


@dataclass(frozen=True, slots=True)
class Chosen:
    """
    The groups that a person wants scheduled; the others wait for a later run.

    A draw before `noticed_on`, a local date, comes too soon after its notice.
    """

    groups: Collection[ScheduleGroup]
    noticed_on: date

    def holds(self, period: str) -> sa.ColumnElement[bool]:
        """Claim that a planned payment of a run is in one of the groups."""
        return group_of(period, self.noticed_on).in_([group.value for group in self.groups])


@dataclass(frozen=True, slots=True)
class GroupCount:
    """How many payments a group has, and how many of these are charged today."""

    payments: int = 0
    amount: Money = ZERO
    today: int = 0
    amount_today: Money = ZERO


def group_of(period: str, noticed_on: date) -> sa.ColumnElement[Any]:
    """Give a planned payment's group; notice counts more than lateness, for it is owed by law."""
    is_short = sa.and_(_PLAN.pay_on < noticed_on, is_varying(planned_payment, period))
    return sa.case(
        (is_short, ScheduleGroup.SHORT_NOTICE.value),
        (_PLAN.immediate, ScheduleGroup.IMMEDIATE.value),
        else_=ScheduleGroup.ON_TIME.value,
    )


def count_groups(database: Database, period: str, noticed_on: date) -> dict[str, GroupCount]:
    """Count the plan of a run by group; what is over a customer's maximum stands apart."""
    is_over = _PLAN.unscheduled == Unscheduled.OVER_MAXIMUM
    group = sa.case((is_over, OVER_MAXIMUM), else_=group_of(period, noticed_on)).label("group")
    query = (
        sa.select(
            group,
            sa.func.count(),
            sa.func.sum(_PLAN.amount),
            sa.func.count().filter(_PLAN.immediate),
            sa.func.sum(_PLAN.amount).filter(_PLAN.immediate),
        )
        .where(_PLAN.period == period, sa.or_(_PLAN.pay_on.is_not(None), is_over))
        .group_by(group)
    )
    with database.reading() as books:
        found = {
            name: GroupCount(payments, amount, today, amount_today or ZERO)
            for name, payments, amount, today, amount_today in books.execute(query)
        }
    return {name: found.get(name, GroupCount()) for name in (*ScheduleGroup, OVER_MAXIMUM)}


def count_left_out(database: Database, period: str) -> GroupCount:
    """Count the payments of a closed run that no schedule has taken yet."""
    left = payments_left_out(period).subquery()
    query = sa.select(sa.func.count(), sa.func.sum(_PLAN.amount)).join(
        left, sa.and_(_PLAN.period == left.c.period, _PLAN.account_key == left.c._account_key)
    )
    with database.reading() as books:
        payments, amount = books.execute(query).one()
    return GroupCount(payments, amount or ZERO)


def schedule_autopay(
    database: Database,
    period: str,
    *,
    now: datetime,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
    chosen: Chosen | None = None,
) -> ScheduleCounts:
    """
    Schedule the payments of a closed period, and list who has none and why (rules 7, 72-82).

    Of a late schedule a person may have chosen some groups; whom that leaves out stays planned and
    is scheduled by a later run (rule 73).

    Scheduling before the close takes last period's amounts: it is refused here, and the database
    has no place for such a row (rules 8, 9). Scheduling again adds only what is missing: a key of
    run and account makes a second payment for the same bill impossible.
    """
    _require_closed(database, period)
    plan_autopay(database, period, today=today, closed=closed, policy=policy)
    with database.writing() as books:
        _lock(books, period)
        _record_scheduled(books, period, now, chosen)
        _record_unscheduled(books, period)
    return schedule_counts(database, period)


def schedule_counts(database: Database, period: str) -> ScheduleCounts:
    """Count the two lists of a run as they stand."""
    payments = scheduled_payment.c
    with database.reading() as books:
        row = books.execute(
            sa.select(
                sa.func.count().label("scheduled"),
                sa.func.coalesce(sa.func.sum(sa.case((payments.immediate, 1), else_=0)), 0).label(
                    "immediate"
                ),
                sa.func.sum(payments.amount).label("amount"),
            ).where(
                payments.period == period,
                payments.number == 1,  # what was returned and is drawn again was scheduled once
                payments.state != PaymentState.CANCELLED,
            )
        ).one()
        unscheduled = books.execute(
            sa.select(sa.func.count())
            .select_from(autopay_unscheduled)
            .where(autopay_unscheduled.c.period == period)
        ).scalar_one()
    return ScheduleCounts(row.scheduled, int(row.immediate), unscheduled, row.amount or ZERO)


def payment_key(period: str, key: str) -> str:
    """Name a payment by what it is for, so that scheduling twice is scheduling once."""
    return f"autopay/{period}/{key}"


def _require_closed(database: Database, period: str) -> None:
    with database.reading() as books:
        closed = books.execute(
            sa.select(period_close.c.period).where(period_close.c.period == period)
        ).one_or_none()
    if closed is None:
        raise Refused(
            "period-open",
            f"Period {period} is not closed, and scheduling before the close would take last "
            f"period's amounts; run `billclose close {period}` first.",
        )


def _lock(books: Connection, period: str) -> None:
    """Wait for whoever is just enrolling or cancelling in this run, and see what they did."""
    books.execute(sa.select(bill_run.c.period).where(bill_run.c.period == period).with_for_update())


def _record_scheduled(books: Connection, period: str, now: datetime, chosen: Chosen | None) -> None:
    """
    Insert the planned payments; one that went off the schedule with a close that was taken back
    is scheduled again in its place: its key is the period's and the account's.
    """
    _revive(books, period, now, chosen)
    _revive_again(books, period, now)
    plans = planned_payment.c
    is_there = sa.exists().where(
        scheduled_payment.c.period == plans.period,
        scheduled_payment.c.account_key == plans.account_key,
        scheduled_payment.c.number == 1,
    )
    rows = sa.select(
        sa.literal(payment_key(period, "")).concat(plans.account_key),
        plans.period,
        plans.account_key,
        plans.account,
        sa.literal(1),
        plans.pay_on,
        plans.amount,
        plans.method_token,
        plans.method_kind,
        plans.last4,
        plans.immediate,
        sa.literal(PaymentState.SCHEDULED.value),
        sa.literal(now, gateway_payment.c.scheduled_at.type),
    ).where(
        plans.period == period,
        plans.unscheduled.is_(None),
        ~is_there,
        ~is_outsorted(plans.period, plans.account_key),  # since it was planned
    )
    if chosen is not None:
        rows = rows.where(chosen.holds(period))
    books.execute(
        gateway_payment.insert().from_select(
            [
                "key", "period", "account_key", "account", "number", "pay_on", "amount",
                "method_token", "method_kind", "last4", "immediate", "state", "scheduled_at",
            ],
            rows,
        )
    )  # fmt: skip


def _revive(books: Connection, period: str, now: datetime, chosen: Chosen | None) -> None:
    plan, paid = planned_payment.c, gateway_payment.c
    names = ("amount", "method_token", "method_kind", "last4")
    was_tried = sa.exists().where(
        draw.c.payment_key == paid.key, draw.c.state == DrawState.DECLINED
    )
    keeps_day = sa.and_(was_tried, paid.pay_on > plan.pay_on)  # a retry waits for its day
    conditions = [
        paid.period == period,
        paid.kind == written_out(PaymentKind.AUTOPAY),
        paid.number == 1,
        paid.state == PaymentState.CANCELLED,
        was_undone(gateway_payment),
        plan.period == paid.period,
        plan.account_key == paid.account_key,
        plan.unscheduled.is_(None),
    ]
    if chosen is not None:
        conditions.append(chosen.holds(period))
    books.execute(
        gateway_payment.update()
        .where(*conditions)
        .values(
            {name: plan[name] for name in names}
            | {
                "pay_on": sa.case((keeps_day, paid.pay_on), else_=plan.pay_on),
                "immediate": sa.and_(plan.immediate, ~keeps_day),
                "state": PAYMENT.after(PaymentState.CANCELLED, "enrolled again"),
                "confirmation": None,
                "error": None,
                "scheduled_at": now,
            }
        )
    )


def _revive_again(books: Connection, period: str, now: datetime) -> None:
    """
    Schedule again what a bank had returned, and was to be drawn once more when its close was
    taken back: its customer was told so.

    Only with the method that is agreed to still. Whether it is owed still is looked at on its day,
    as of every payment.
    """
    paid, first = gateway_payment.c, scheduled_payment.c
    is_in_first = sa.exists().where(  # planned anew from all that is owed, this too
        first.period == paid.period,
        first.account_key == paid.account_key,
        first.number == 1,
        first.state == PaymentState.SCHEDULED,
    )
    off = sa.select(paid.key, paid.account_key, paid.method_token).where(
        paid.period == period,
        paid.kind == written_out(PaymentKind.AUTOPAY),
        paid.number > 1,
        paid.state == PaymentState.CANCELLED,
        was_undone(gateway_payment),
        ~is_in_first,
        ~is_outsorted(paid.period, paid.account_key),
        paid.method_token.not_in(sa.select(suspended_method.c.method_token)),
    )
    rows = books.execute(off).all()
    if not rows:
        return
    agreed = mandates_in_force(period, sorted({row.account_key for row in rows})).c
    with_method = sa.select(agreed.account_key, agreed.method_token).where(
        agreed.method_kind.is_not(None)
    )
    mine = {(row.account_key, row.method_token) for row in books.execute(with_method)}
    keys = [row.key for row in rows if (row.account_key, row.method_token) in mine]
    state = PAYMENT.after(PaymentState.CANCELLED, "enrolled again")
    books.execute(
        gateway_payment.update()
        .where(paid.key.in_(keys))
        .values(state=state, error=None, scheduled_at=now)
    )


def _record_unscheduled(books: Connection, period: str) -> None:
    plans = planned_payment.c
    books.execute(autopay_unscheduled.delete().where(autopay_unscheduled.c.period == period))
    books.execute(
        autopay_unscheduled.insert().from_select(
            ["period", "account_key", "account", "reason"],
            sa.select(plans.period, plans.account_key, plans.account, plans.unscheduled).where(
                plans.period == period, plans.unscheduled.is_not(None)
            ),
        )
    )
