"""The plan of a run's autopay: which enrolled account pays how much on which day."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.mandates import mandates_in_force
from database.tables import (
    account,
    balance_due,
    bill_run,
    held_account,
    period_close,
    planned_payment,
    scheduled_payment,
    suspended_method,
)
from domain.accounts import AccountStatus
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
    payment in this run are left alone, so that planning again never plans one twice; one that was
    taken off the schedule stays off it (rule 58).
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


def _plan(
    books: Connection, run: str, today: date, closed: Container[date], policy: AutopayPolicy
) -> Iterator[_Planned]:
    due_on = books.execute(sa.select(bill_run.c.due_on).where(bill_run.c.run == run)).scalar_one()
    for row in books.execute(_enrollments(run)):
        agreed = Mandate(
            account=row.account,
            method_token=row.method_token,
            method_kind=row.method_kind,
            last4=row.last4,
            days_prior=row.days_prior,
            maximum=row.maximum,
            enrolled_on=row.enrolled_on,
            pays_up_to_maximum=row.pays_up_to_maximum,
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
    is_suspended = row.suspended is not None  # nobody draws from it, whatever kind it is
    return Payable(
        account=row.account,
        status=row.status,
        balance=_balance(row),
        pays_equal_amount=equal,
        direct_pay=row.direct_pay,
        block_ach=row.block_ach or is_suspended,
        block_card=row.block_card or is_suspended,
        is_held=row.held is not None,
        already_processed=row.taken_off is not None,
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
    Select the mandate in force of each account that has no payment in this run yet.

    The balance is the balance due once the period is closed, before that what it will be moved to.
    """
    agreed = mandates_in_force(run)
    held = (
        sa.select(held_account.c.account_key).where(held_account.c.run == run).distinct().subquery()
    )
    paying = _payments(run, scheduled_payment.c.state != PaymentState.CANCELLED)
    taken_off = _payments(run, scheduled_payment.c.state == PaymentState.CANCELLED)
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
            agreed.c.method_token,
            agreed.c.method_kind,
            agreed.c.last4,
            agreed.c.days_prior,
            agreed.c.maximum,
            agreed.c.pays_up_to_maximum,
            agreed.c.enrolled_on,
            balance_due.c.amount_due.label("balance"),
            balance_due.c.paid,
            held.c.account_key.label("held"),
            suspended_method.c.method_token.label("suspended"),
            taken_off.c.account_key.label("taken_off"),
            sa.exists().where(period_close.c.run == run).label("is_closed"),
        )
        .select_from(agreed)
        .join(
            account,
            sa.and_(account.c.run == run, account.c.account_key == agreed.c.account_key),
        )
        .outerjoin(
            balance_due,
            sa.and_(balance_due.c.run == run, balance_due.c.account_key == agreed.c.account_key),
        )
        .outerjoin(held, held.c.account_key == agreed.c.account_key)
        .outerjoin(suspended_method, suspended_method.c.method_token == agreed.c.method_token)
        .outerjoin(taken_off, taken_off.c.account_key == agreed.c.account_key)
        .outerjoin(paying, paying.c.account_key == agreed.c.account_key)
        .where(paying.c.account_key.is_(None))
        .order_by(account.c.account_key)
    )


def _payments(run: str, condition: sa.ColumnElement[bool]) -> sa.Subquery:
    key = scheduled_payment.c.account_key
    return sa.select(key).where(scheduled_payment.c.run == run, condition).subquery()


def _as_row(run: str, plan: _Planned) -> tuple[Any, ...]:
    payment, agreed = plan.payment, plan.mandate
    return (
        run, plan.key, payment.account, payment.amount, payment.pay_on, payment.immediate,
        payment.unscheduled, agreed.method_token, agreed.method_kind, agreed.last4,
    )  # fmt: skip


def _count(payments: Iterator[PlannedPayment]) -> ScheduleCounts:
    planned = list(payments)
    drawn = [payment for payment in planned if payment.unscheduled is None]
    return ScheduleCounts(
        scheduled=len(drawn),
        immediate=sum(payment.immediate for payment in drawn),
        unscheduled=len(planned) - len(drawn),
        amount=Money.total(payment.amount for payment in drawn),
    )
