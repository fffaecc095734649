"""The schedule-payments run: which enrolled account pays how much on which day."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.tables import (
    account,
    autopay_unscheduled,
    balance_due,
    bill_run,
    held_account,
    mandate,
    payment_method,
    period_close,
    planned_payment,
    scheduled_payment,
)
from domain.accounts import AccountStatus
from domain.failures import Refused
from domain.money import ZERO, Money
from domain.payments import Mandate, PaymentState, PlannedPayment
from rules.autopay import AutopayPolicy, Payable, plan_payment
from rules.balances import open_balance


@dataclass(frozen=True, slots=True)
class ScheduleCounts:
    """What a schedule run left behind: the two lists and what will be drawn (rules 74-82)."""

    scheduled: int
    immediate: int
    unscheduled: int
    amount: Money


@dataclass(frozen=True, slots=True)
class _Planned:
    key: str
    payment: PlannedPayment
    mandate: Mandate


def plan_autopay(
    database: Database,
    run: str,
    *,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
) -> ScheduleCounts:
    """
    Work out the payments of a run and write them down as plans; nothing is scheduled by it.

    Every enrolled account gets a payment or a reason (rule 82). Accounts that already have a
    payment in this run are left alone, so that planning again never plans one twice.
    """
    with database.writing() as books:
        planned = list(_plan(books, run, today, closed, policy))
        books.execute(planned_payment.delete().where(planned_payment.c.run == run))
        insert_rows(
            books,
            planned_payment,
            [
                "run", "account_key", "account", "amount", "pay_on", "immediate", "unscheduled",
                "method_token", "method_kind", "last4",
            ],
            (_as_row(run, plan) for plan in planned),
        )  # fmt: skip
    return _count(plan.payment for plan in planned)


def schedule_autopay(
    database: Database,
    run: str,
    *,
    now: datetime,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
) -> ScheduleCounts:
    """
    Schedule the payments of a closed period, and list who has none and why (rules 7, 72-82).

    Scheduling before the close takes last period's amounts: it is refused here, and the database
    has no place for such a row (rules 8, 9). Scheduling again adds only what is missing: a key of
    run and account makes a second payment for the same bill impossible.
    """
    _require_closed(database, run)
    plan_autopay(database, run, today=today, closed=closed, policy=policy)
    with database.writing() as books:
        _record_scheduled(books, run, now)
        _record_unscheduled(books, run)
    return schedule_counts(database, run)


def schedule_counts(database: Database, run: str) -> ScheduleCounts:
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
            ).where(payments.run == run, payments.state != PaymentState.CANCELLED)
        ).one()
        unscheduled = books.execute(
            sa.select(sa.func.count())
            .select_from(autopay_unscheduled)
            .where(autopay_unscheduled.c.run == run)
        ).scalar_one()
    return ScheduleCounts(row.scheduled, int(row.immediate), unscheduled, row.amount or ZERO)


def planned_counts(database: Database, run: str) -> ScheduleCounts:
    """Count what is planned for a run that is not scheduled yet."""
    with database.reading() as books:
        rows = books.execute(
            sa.select(
                planned_payment.c.account,
                planned_payment.c.amount,
                planned_payment.c.pay_on,
                planned_payment.c.immediate,
                planned_payment.c.unscheduled,
            ).where(planned_payment.c.run == run)
        )
        return _count(PlannedPayment(*row) for row in rows)


def payment_key(run: str, key: str) -> str:
    """Name a payment by what it is for, so that scheduling twice is scheduling once."""
    return f"autopay/{run}/{key}"


def _require_closed(database: Database, run: str) -> None:
    with database.reading() as books:
        closed = books.execute(
            sa.select(period_close.c.run).where(period_close.c.run == run)
        ).one_or_none()
    if closed is None:
        raise Refused(
            "period-open",
            f"Period {run} is not closed, and scheduling before the close would take last "
            f"period's amounts; run `billclose close {run}` first.",
        )


def _plan(
    books: Connection, run: str, today: date, closed: Container[date], policy: AutopayPolicy
) -> Iterator[_Planned]:
    due_on = books.execute(sa.select(bill_run.c.due_on).where(bill_run.c.run == run)).scalar_one()
    for row in books.execute(_enrollments(run)):
        agreed = Mandate(
            account=row.account,
            method_token=row.method_token,
            method_kind=row.kind,
            last4=row.last4 or "",
            days_prior=row.days_prior,
            maximum=row.maximum,
            enrolled_on=row.enrolled_on,
        )
        payment = plan_payment(
            _payable(row),
            agreed,
            due_on=due_on,
            today=today,
            closed=closed,
            policy=policy,
        )
        yield _Planned(row.account_key, payment, agreed)


def _payable(row: Any) -> Payable:
    equal = row.status is AccountStatus.ACTIVE and row.equal_pay_amount is not None
    return Payable(
        account=row.account,
        status=row.status,
        balance=_balance(row),
        pays_equal_amount=equal,
        direct_pay=row.direct_pay,
        block_ach=row.block_ach,
        block_card=row.block_card,
        is_held=row.held is not None,
    )


def _balance(row: Any) -> Money:
    """
    Return what is open of this run's bill (rule 41).

    A closed run whose balance is gone has been followed by a later one, which holds what was open:
    drawing for both would take the same money twice.
    """
    if row.balance is not None:
        return open_balance(row.balance, row.paid or ZERO)
    return ZERO if row.is_closed else row.amount_due


def _enrollments(run: str) -> sa.Select[Any]:
    """
    Select the newest active mandate of each account that has no payment in this run yet.

    The balance is the balance due once the period is closed, before that what it will be moved to.
    """
    newest = (
        sa.select(mandate.c.account_key, sa.func.max(mandate.c.line).label("line"))
        .where(mandate.c.run == run, mandate.c.active)
        .group_by(mandate.c.account_key)
        .subquery()
    )
    held = (
        sa.select(held_account.c.account_key).where(held_account.c.run == run).distinct().subquery()
    )
    paying = (
        sa.select(scheduled_payment.c.account_key).where(scheduled_payment.c.run == run).subquery()
    )
    return (
        sa.select(
            account.c.account_key,
            account.c.account,
            account.c.status,
            account.c.amount_due,
            account.c.equal_pay_amount,
            account.c.direct_pay,
            account.c.block_ach,
            account.c.block_card,
            mandate.c.method_token,
            mandate.c.days_prior,
            mandate.c.maximum,
            mandate.c.enrolled_on,
            payment_method.c.kind,
            payment_method.c.last4,
            balance_due.c.amount_due.label("balance"),
            balance_due.c.paid,
            held.c.account_key.label("held"),
            sa.exists().where(period_close.c.run == run).label("is_closed"),
        )
        .select_from(newest)
        .join(mandate, sa.and_(mandate.c.run == run, mandate.c.line == newest.c.line))
        .join(
            account,
            sa.and_(account.c.run == run, account.c.account_key == newest.c.account_key),
        )
        .outerjoin(
            payment_method,
            sa.and_(payment_method.c.run == run, payment_method.c.token == mandate.c.method_token),
        )
        .outerjoin(
            balance_due,
            sa.and_(balance_due.c.run == run, balance_due.c.account_key == newest.c.account_key),
        )
        .outerjoin(held, held.c.account_key == newest.c.account_key)
        .outerjoin(paying, paying.c.account_key == newest.c.account_key)
        .where(paying.c.account_key.is_(None))
        .order_by(account.c.account_key)
    )


def _as_row(run: str, plan: _Planned) -> tuple[Any, ...]:
    payment, agreed = plan.payment, plan.mandate
    return (
        run, plan.key, payment.account, payment.amount, payment.pay_on, payment.immediate,
        payment.unscheduled, agreed.method_token, agreed.method_kind, agreed.last4,
    )  # fmt: skip


def _record_scheduled(books: Connection, run: str, now: datetime) -> None:
    plans = planned_payment.c
    rows = sa.select(
        sa.literal(f"autopay/{run}/").concat(plans.account_key),
        plans.run,
        plans.account_key,
        plans.account,
        plans.pay_on,
        plans.amount,
        plans.method_token,
        plans.method_kind,
        plans.last4,
        plans.immediate,
        sa.literal(PaymentState.SCHEDULED.value),
        sa.literal(now, scheduled_payment.c.scheduled_at.type),
    ).where(plans.run == run, plans.unscheduled.is_(None))
    books.execute(
        scheduled_payment.insert().from_select(
            [
                "key", "run", "account_key", "account", "pay_on", "amount", "method_token",
                "method_kind", "last4", "immediate", "state", "scheduled_at",
            ],
            rows,
        )
    )  # fmt: skip


def _record_unscheduled(books: Connection, run: str) -> None:
    plans = planned_payment.c
    books.execute(autopay_unscheduled.delete().where(autopay_unscheduled.c.run == run))
    books.execute(
        autopay_unscheduled.insert().from_select(
            ["run", "account_key", "account", "reason"],
            sa.select(plans.run, plans.account_key, plans.account, plans.unscheduled).where(
                plans.run == run, plans.unscheduled.is_not(None)
            ),
        )
    )


def _count(payments: Iterator[PlannedPayment]) -> ScheduleCounts:
    planned = list(payments)
    drawn = [payment for payment in planned if payment.unscheduled is None]
    return ScheduleCounts(
        scheduled=len(drawn),
        immediate=sum(payment.immediate for payment in drawn),
        unscheduled=len(planned) - len(drawn),
        amount=Money.total(payment.amount for payment in drawn),
    )
