"""Who is to be reminded of a due date, out of the books, and who is not, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import (
    account,
    balance_due,
    bill_run,
    held_account,
    period_close,
    scheduled_payment,
)
from domain.accounts import AccountStatus
from domain.deliveries import MessageKind
from domain.money import ZERO
from domain.payments import PaymentState
from rules.reminders import OwedStep, ReminderPlan

_UNDER_WAY = (PaymentState.SUBMITTED, PaymentState.UNKNOWN)


class Skipped(StrEnum):
    """Why an account that owes something is not reminded now."""

    HELD = "held"  # a blocking check was waived for it
    PAYMENT_UNDER_WAY = "payment-under-way"  # ruling 14: until it is known what came of it
    AUTOPAY = "autopay"  # rule 95
    NO_ADDRESS = "no-address"
    SUPPRESSED = "suppressed"  # mails to all its addresses came back
    TOO_LATE = "too-late"


@dataclass(frozen=True, slots=True)
class DueDate:
    """A due date with balances that stand for it."""

    run: str
    due_on: date
    timezone: str
    ends_on: date

    def owed(self, plan: ReminderPlan, now: datetime) -> tuple[OwedStep, ...]:
        return plan.owed(self.due_on, now, ZoneInfo(self.timezone))

    def is_over(self, plan: ReminderPlan, now: datetime) -> bool:
        return plan.is_over(self.due_on, now, ZoneInfo(self.timezone))


def due_dates(books: Connection, run: str | None = None) -> list[DueDate]:
    """Return the due dates of the balances that stand now, the oldest first."""
    columns = (balance_due.c.run, balance_due.c.due_on, bill_run.c.timezone, bill_run.c.ends_on)
    query = (
        sa.select(*columns)
        .join(bill_run, bill_run.c.run == balance_due.c.run)
        .distinct()
        .order_by(balance_due.c.due_on, balance_due.c.run)
    )
    if run is not None:
        query = query.where(balance_due.c.run == run)
    return [DueDate(*row) for row in books.execute(query)]


def debts(due: DueDate, kind: MessageKind, plan: ReminderPlan, owed: OwedStep | None = None) -> Any:
    """
    Select who owes something of a due date, each with the reason why it is not reminded, if any.

    Nothing is owed by who has paid or is in credit (ruling 15), and a closed account is not asked.
    """
    open_balance = balance_due.c.amount_due - balance_due.c.paid
    of_the_run = sa.and_(
        account.c.run == balance_due.c.run, account.c.account_key == balance_due.c.account_key
    )
    query = (
        sa.select(
            balance_due.c.account_key,
            balance_due.c.account,
            account.c.cosigner_id,
            _reason(kind, plan).label("reason"),
        )
        .join(account, of_the_run)
        .where(
            balance_due.c.run == due.run,
            balance_due.c.due_on == due.due_on,
            open_balance > sa.literal(ZERO, balance_due.c.paid.type),
            balance_due.c.account_key.not_in(_closed_since(due)),
        )
    )
    if owed is not None:
        smallest = sa.literal(owed.step.smallest, balance_due.c.paid.type)
        query = query.where(open_balance >= smallest)
        if owed.below is not None:
            query = query.where(open_balance < sa.literal(owed.below, balance_due.c.paid.type))
    return query.subquery("debts")


def count_skipped(books: Connection, found: Any) -> dict[Skipped, int]:
    """Count the debts that a reason keeps from being reminded of."""
    query = (
        sa.select(found.c.reason, sa.func.count())
        .where(found.c.reason.is_not(None))
        .group_by(found.c.reason)
    )
    return {Skipped(reason): number for reason, number in books.execute(query)}


def _reason(kind: MessageKind, plan: ReminderPlan) -> sa.Case[Any]:
    of_the_account = [
        sa.and_(table.c.run == balance_due.c.run, table.c.account_key == balance_due.c.account_key)
        for table in (held_account, scheduled_payment)
    ]
    under_way = sa.select(scheduled_payment.c.account_key).where(
        scheduled_payment.c.state.in_(_UNDER_WAY)
    )
    reasons = [
        (sa.exists().where(of_the_account[0]), sa.literal(Skipped.HELD.value)),
        (
            balance_due.c.account_key.in_(under_way),
            sa.literal(Skipped.PAYMENT_UNDER_WAY.value),
        ),
    ]
    if kind is MessageKind.PAYMENT_DUE and plan.spare_autopay:
        will_pay = sa.exists().where(
            of_the_account[1], scheduled_payment.c.state == PaymentState.SCHEDULED
        )
        reasons.append((will_pay, sa.literal(Skipped.AUTOPAY.value)))
    return sa.case(*reasons)


def _closed_since(due: DueDate) -> sa.Select[Any]:
    """Select the accounts that this period's export or a later closed one calls closed."""
    return (
        sa.select(account.c.account_key)
        .join(period_close, period_close.c.run == account.c.run)
        .join(bill_run, bill_run.c.run == account.c.run)
        .where(account.c.status == AccountStatus.CLOSED, bill_run.c.ends_on >= due.ends_on)
    )
