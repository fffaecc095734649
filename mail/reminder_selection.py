"""Who is to be reminded of a due date, out of the books, and who is not, and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import (
    account,
    balance_due,
    bill_run,
    held_account,
    period_close,
    reminder_hold,
    scheduled_payment,
)
from domain.accounts import AccountStatus
from domain.deliveries import MessageKind
from domain.money import ZERO
from domain.payments import PaymentState
from domain.reminders import Skipped
from mail.due_dates import DueDate
from mail.holds import Hold
from mail.reminder_shields import hurt_accounts
from mail.reminder_terms import Reminding
from rules.reminders import OwedStep

_UNDER_WAY = (PaymentState.SUBMITTED, PaymentState.UNKNOWN)
_Reasons = list[tuple[sa.ColumnElement[bool], Skipped]]


def debts(due: DueDate, kind: MessageKind, terms: Reminding, owed: OwedStep | None = None) -> Any:
    """
    Select who owes something of a due date, each with the reason why it is not reminded, if any.

    `hold` is the number of the hold that keeps a past-due mail back. Nothing is owed by who has
    paid or is in credit (ruling 15), and a closed account is not asked.
    """
    open_balance = balance_due.c.amount_due - balance_due.c.paid
    hold = _hold(due) if kind is MessageKind.PAST_DUE else sa.null()
    query = (
        sa.select(
            balance_due.c.account_key,
            balance_due.c.account,
            account.c.cosigner_id,
            _reason(due, kind, terms).label("reason"),
            sa.cast(hold, reminder_hold.c.number.type).label("hold"),
        )
        .join(account, _of_the_debtor(account))
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


def count_skipped(books: Connection, found: Any) -> tuple[Counter[Skipped], Counter[int]]:
    """Count the debts that a reason keeps from being reminded of, and those that a hold does."""
    number = sa.func.count().label("number")
    query = (
        sa.select(found.c.reason, found.c.hold, number)
        .where(found.c.reason.is_not(None))
        .group_by(found.c.reason, found.c.hold)
    )
    skipped, holds = Counter[Skipped](), Counter[int]()
    for reason, hold, accounts in books.execute(query):
        skipped[Skipped(reason)] += accounts
        if hold is not None and reason == Skipped.HELD:
            holds[hold] += accounts
    return skipped, holds


def _reason(due: DueDate, kind: MessageKind, terms: Reminding) -> sa.ColumnElement[Any]:
    """Give the first reason that applies, in the order of Skipped."""
    key = balance_due.c.account_key
    under_way = sa.select(scheduled_payment.c.account_key).where(
        scheduled_payment.c.state.in_(_UNDER_WAY)
    )
    reasons: _Reasons = [(sa.exists().where(_of_the_debtor(held_account)), Skipped.HELD)]
    if kind is MessageKind.PAST_DUE and due.holds:
        reasons.append((_hold(due).is_not(None), Skipped.HELD))
    reasons.append((key.in_(under_way), Skipped.PAYMENT_UNDER_WAY))
    if kind is MessageKind.PAST_DUE and terms.shield is not None:
        hurt = hurt_accounts(due, terms.shield)
        reasons += [(key.in_(one), reason) for reason, several in hurt.items() for one in several]
    if kind is MessageKind.PAYMENT_DUE and terms.plan.spare_autopay:
        will_pay = sa.exists().where(
            _of_the_debtor(scheduled_payment),
            scheduled_payment.c.state == PaymentState.SCHEDULED,
        )
        reasons.append((will_pay, Skipped.AUTOPAY))
    return sa.case(*((applies, sa.literal(reason.value)) for applies, reason in reasons))


def _hold(due: DueDate) -> sa.ColumnElement[Any]:
    """Give the number of the hold in force that is about an account: its own, or its group's."""
    if not due.holds:
        return sa.null()
    own = (
        sa.select(sa.func.min(reminder_hold.c.number))
        .where(
            reminder_hold.c.account_key == balance_due.c.account_key,
            reminder_hold.c.lifted_at.is_(None),
            reminder_hold.c.until >= due.today,
        )
        .correlate(balance_due)
        .scalar_subquery()
    )
    groups: list[Hold] = [hold for hold in due.holds if hold.column_name is not None]
    if not groups:
        return own
    of_group = sa.case(*((one.of_the_group(), sa.literal(one.number)) for one in groups))
    return sa.func.coalesce(own, of_group) if len(groups) < len(due.holds) else of_group


def _closed_since(due: DueDate) -> sa.Select[Any]:
    """Select the accounts that this period's export or a later closed one calls closed."""
    return (
        sa.select(account.c.account_key)
        .join(period_close, period_close.c.run == account.c.run)
        .join(bill_run, bill_run.c.run == account.c.run)
        .where(account.c.status == AccountStatus.CLOSED, bill_run.c.ends_on >= due.ends_on)
    )


def _of_the_debtor(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.run == balance_due.c.run, table.c.account_key == balance_due.c.account_key
    )
