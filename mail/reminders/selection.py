"""Who is to be reminded of a due date, out of the books, and who is not, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.account_changes import account_in_force
from database.definitions.checkout import checkout, checkout_line
from database.queries.arrangements.deferred import due_now
from database.queries.balances import NOTHING, is_owed, stands_with
from database.queries.outsorted import has_outsorted_bill
from database.tables import (
    account,
    balance_due,
    bill_run,
    gateway_payment,
    period_close,
    reminder_hold,
    scheduled_payment,
)
from database.types import Cents
from domain.accounts import AccountStatus
from domain.deliveries import MessageKind, Recipient
from domain.feeds import ChangeField
from domain.payments import PaymentState
from domain.reminders import EXEMPTIONS, Skipped
from mail.recipients.addresses import Some, read_addresses
from mail.recipients.suppressed import suppressed_mailboxes
from mail.reminders.due_dates import DueDate, Reminding, due_dates
from mail.reminders.exemptions import hurt_accounts
from mail.reminders.holds import Hold
from rules.mail.reminders import OwedStep

_UNDER_WAY = (PaymentState.SUBMITTED, PaymentState.UNKNOWN)
_Reasons = list[tuple[sa.ColumnElement[bool], Skipped]]


def debts(due: DueDate, kind: MessageKind, terms: Reminding, owed: OwedStep | None = None) -> Any:
    """
    Select who owes something of a due date, each with the reason why it is not reminded, if any.

    `hold` is the number of the hold that keeps a past-due mail back. Nothing is owed by who has
    paid or is in credit (ruling 15), and a closed account is not asked, be it that the feed
    alone says so yet. What a payment arrangement puts off is not asked for while it is kept: a
    step's bounds are of what is to be paid now.
    """
    hold = _hold(due) if kind is MessageKind.PAST_DUE else sa.null()
    query = (
        sa.select(
            balance_due.c.account_key,
            balance_due.c.account,
            account.c.cosigner_id,
            _reason(due, kind, terms).label("reason"),
            sa.cast(hold, reminder_hold.c.number.type).label("hold"),
        )
        .join(account, stands_with(account))
        .where(
            balance_due.c.period == due.period,
            balance_due.c.due_on == due.due_on,
            is_owed(),
            balance_due.c.account_key.not_in(_closed_since(due)),
            account_in_force(account, ChangeField.STATUS) != AccountStatus.CLOSED,
        )
    )
    if owed is not None:
        now, smallest = due_now(due.today), sa.literal(owed.step.smallest, Cents())
        query = query.where(sa.or_(now >= smallest, now <= NOTHING))
        if owed.below is not None:
            query = query.where(now < sa.literal(owed.below, Cents()))
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
    under_way = sa.select(gateway_payment.c.account_key).where(
        gateway_payment.c.state.in_(_UNDER_WAY)
    )
    reasons: _Reasons = [(has_outsorted_bill(key), Skipped.HELD)]
    if kind is MessageKind.PAST_DUE and due.holds:
        reasons.append((_hold(due).is_not(None), Skipped.HELD))
    by_hand = (
        sa.select(checkout_line.c.account_key)
        .join(checkout, checkout.c.key == checkout_line.c.checkout)
        .join(gateway_payment, gateway_payment.c.key == checkout.c.payment_key)
        .where(gateway_payment.c.state.in_(_UNDER_WAY))
    )
    reasons.append((due_now(due.today) <= NOTHING, Skipped.ARRANGED))
    is_under_way = sa.or_(key.in_(under_way), key.in_(by_hand))
    reasons.append((is_under_way, Skipped.PAYMENT_UNDER_WAY))
    if kind is MessageKind.PAST_DUE and terms.exemption is not None:
        hurt = hurt_accounts(due, terms.exemption)
        reasons += [(key.in_(one), reason) for reason, several in hurt.items() for one in several]
    if kind is MessageKind.PAYMENT_DUE and terms.plan.spare_autopay:
        will_pay = sa.exists().where(
            stands_with(scheduled_payment),
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
        .join(period_close, period_close.c.period == account.c.period)
        .join(bill_run, bill_run.c.period == account.c.period)
        .where(account.c.status == AccountStatus.CLOSED, bill_run.c.ends_on >= due.ends_on)
    )


def kept_back(books: Connection, terms: Reminding) -> list[sa.Select[Any]]:
    """
    Select whom a hold or a exemption keeps from a past-due mail that is owed at this moment.

    One SELECT a step of the ladder, its columns named as those of `list exceptions`.
    """
    return [
        _rows(debts(due, MessageKind.PAST_DUE, terms, owed), due.period)
        for due in due_dates(books, terms.now)
        for owed in due.owed(terms.plan)
        if owed.step.kind is MessageKind.PAST_DUE
    ]


def _rows(found: Any, period: str) -> sa.Select[Any]:
    hold = (
        sa.literal("no past-due mail until ")
        .concat(sa.cast(reminder_hold.c.until, sa.String))
        .concat(", hold ")
        .concat(sa.cast(reminder_hold.c.number, sa.String))
        .concat(": ")
        .concat(reminder_hold.c.reason)
    )
    message = sa.case(
        (found.c.reason == Skipped.HELD.value, hold),
        *(
            (found.c.reason == exemption.value, f"no past-due mail meanwhile: {why}")
            for exemption, why in EXEMPTIONS.items()
        ),
    )
    is_held = sa.and_(found.c.reason == Skipped.HELD.value, reminder_hold.c.number.is_not(None))
    return (
        sa.select(
            found.c.account,
            sa.literal("mail").label("stage"),
            sa.literal("reminder-").concat(found.c.reason).label("code"),
            message.label("message"),
            sa.literal(period).label("period"),
            found.c.account_key.label("_account_key"),
            sa.literal(3).label("_position"),
        )
        .select_from(found)
        .outerjoin(reminder_hold, reminder_hold.c.number == found.c.hold)
        .where(sa.or_(is_held, found.c.reason.in_([exemption.value for exemption in EXEMPTIONS])))
    )


CHUNK = 2_000  # accounts in memory at a time


@dataclass(frozen=True, slots=True)
class Debtor:
    """An account to remind; without recipients, `skipped` says why nobody can be."""

    account: str
    recipients: tuple[Recipient, ...]
    skipped: Skipped | None


def read_debtors(
    books: Connection, period: str, found: Any, *conditions: sa.ColumnElement[bool]
) -> Iterator[Debtor]:
    """
    Yield whoever is to be reminded, in the order of their account keys.

    One copy for each mailbox: the valid addresses of the customer record, all linked portal users
    and the landlord's, paperless or not.
    """
    suppressed = suppressed_mailboxes(books)
    query = (
        sa.select(found.c.account_key, found.c.account, found.c.cosigner_id)
        .where(found.c.reason.is_(None), *conditions)
        .order_by(found.c.account_key)
    )
    rows = books.execute(query.execution_options(yield_per=CHUNK))
    for chunk in rows.partitions():
        some = Some([row.account_key for row in chunk], [row.cosigner_id for row in chunk])
        known = read_addresses(books, period, some)
        for row in chunk:
            everybody = known.of(row.account_key, row.cosigner_id)
            yield _to_debtor(row.account, everybody, suppressed)


def _to_debtor(number: str, everybody: tuple[Recipient, ...], suppressed: frozenset[str]) -> Debtor:
    reached = tuple(one for one in everybody if one.mailbox not in suppressed)
    if reached:
        return Debtor(number, reached, None)
    return Debtor(number, (), Skipped.SUPPRESSED if everybody else Skipped.NO_ADDRESS)
