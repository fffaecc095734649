"""What the books know of the accounts and payments behind a batch of notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.definitions.account_changes import account_in_force
from database.definitions.wallet import method_in_force
from database.ledger.received import received_on
from database.postings import is_receipt_of
from database.queries.arrangements.deferred import has_plan
from database.queries.corrections import standing_corrections
from database.queries.payment_events import newest_taken_back
from database.tables import (
    account,
    balance_due,
    bill_run,
    delivery,
    draw,
    period_close,
    planned_payment,
    posting,
    scheduled_payment,
)
from domain.deliveries import Recipient, RecipientSource
from domain.feeds import ChangeField
from domain.money import ZERO, Money
from domain.payments import Advice, DrawState, MethodKind, PaymentState
from domain.since_bill import SinceBill
from rules.mail.delivery import may_see_method


def select_facts(wanted: sa.Subquery) -> sa.Select[Any]:
    """Select a row for each wanted notice; without a run it is about the newest closed one."""
    newest = (
        sa.select(period_close.c.period)
        .join(bill_run, bill_run.c.period == period_close.c.period)
        .order_by(bill_run.c.ends_on.desc(), period_close.c.period.desc())
        .limit(1)
        .scalar_subquery()
    )
    period = sa.func.coalesce(wanted.c.period, newest)
    returned = scheduled_payment.alias("returned")
    corrected = standing_corrections()
    taken_back = newest_taken_back()
    came_back = sa.func.coalesce(returned.c.key, scheduled_payment.c.key)
    first_on, last_on = received_on(balance_due.c.account_key, bill_run.c.sure_until)
    token = sa.func.coalesce(scheduled_payment.c.method_token, planned_payment.c.method_token)

    def of_the_account(table: sa.Table) -> sa.ColumnElement[bool]:
        return sa.and_(
            table.c.period == bill_run.c.period, table.c.account_key == wanted.c.account_key
        )

    method = method_in_force(bill_run.c.period, token)
    return method.joined_to(
        sa.select(
            wanted.c.key,
            wanted.c.address,
            wanted.c.source,
            bill_run.c.utility,
            bill_run.c.timezone,
            bill_run.c.period,
            bill_run.c.due_on.label("run_due_on"),
            account_in_force(account, ChangeField.NAME).label("name"),
            account.c.service_address,
            balance_due.c.amount_due,
            balance_due.c.added,
            balance_due.c.paid,
            balance_due.c.due_on,
            first_on.label("first_on"),
            last_on.label("last_on"),
            corrected.c.amount_due.label("corrected_due"),
            has_plan(balance_due.c.account_key).label("has_plan"),
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
            taken_back.c.code.label("return_code"),
            taken_back.c.happened_at,
            sa.func.coalesce(
                scheduled_payment.c.method_kind,
                planned_payment.c.method_kind,
                type_=scheduled_payment.c.method_kind.type,
            ).label("method_kind"),
            sa.func.coalesce(scheduled_payment.c.last4, planned_payment.c.last4).label("last4"),
            method.portal_user.label("portal_user"),
            method.brand.label("brand"),
        )
        .select_from(wanted)
        .join(bill_run, bill_run.c.period == period)
        .outerjoin(account, of_the_account(account))
        .outerjoin(balance_due, of_the_account(balance_due))
        .outerjoin(
            corrected,
            sa.and_(
                corrected.c.period == bill_run.c.period,
                corrected.c.account_key == wanted.c.account_key,
            ),
        )
        .outerjoin(
            scheduled_payment,
            sa.and_(
                of_the_account(scheduled_payment), scheduled_payment.c.number == _last_payment()
            ),
        )
        .outerjoin(
            posting,
            is_receipt_of(scheduled_payment.c.key),
        )
        .outerjoin(
            draw,
            sa.and_(draw.c.payment_key == scheduled_payment.c.key, draw.c.number == _last_draw()),
        )
        .outerjoin(returned, _was_returned_before(returned))
        .outerjoin(taken_back, taken_back.c.payment_key == came_back)
        .outerjoin(planned_payment, of_the_account(planned_payment))
    )


def _last_payment() -> sa.ScalarSelect[int]:
    """The number of the payment that speaks: one that is drawn again after a return has another."""
    other = scheduled_payment.alias("other_payment")
    return (
        sa.select(sa.func.max(other.c.number))
        .where(other.c.period == bill_run.c.period, other.c.account_key == account.c.account_key)
        .scalar_subquery()
    )


def _was_returned_before(returned: sa.FromClause) -> sa.ColumnElement[bool]:
    """Claim that a payment waits to be drawn again after the one before it came back."""
    return sa.and_(
        returned.c.period == scheduled_payment.c.period,
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


COLUMNS = ("key", "period", "account_key", "address", "source")


@dataclass(frozen=True, slots=True)
class NoticePayment:
    """The autopay payment of an account in a run, and how its last draw or its return went."""

    amount: Money
    pay_on: date
    state: PaymentState
    taken_at: datetime | None
    confirmation: str
    receipt: str  # cash receipting's number; empty until it is posted
    error: str  # in the gateway's words and codes: for the office alone
    failed_at: datetime | None  # when the last draw was declined, or the money taken back
    advice: Advice | None


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """
    One account as its notices need it; what the books do not have is None or empty.

    The method is there only where this recipient may read it (rules 117, 118).
    """

    utility: str
    timezone: str
    period: str
    customer: str
    service_address: str
    amount_due: Money | None  # what the close moved to the balance due
    added: Money  # by fees, penalties and adjustments since the bill
    paid: Money  # since the bill, less what went back
    due_on: date
    payment: NoticePayment | None
    method: MethodKind | None
    last4: str
    brand: str = ""
    first_on: date | None = None  # of what was received since the bill
    last_on: date | None = None
    corrected_due: Money | None = None  # what the bill says now; None: it is as it was closed
    has_plan: bool = False  # a payment arrangement is in force: a part may be put off

    @property
    def open_balance(self) -> Money | None:
        return None if self.amount_due is None else self.amount_due + self.added - self.paid

    @property
    def since(self) -> SinceBill | None:
        """What moved since the bill; None where it is not known what the bill shows."""
        if self.amount_due is None:
            return None
        billed = self.amount_due if self.corrected_due is None else self.corrected_due
        added = self.added + self.amount_due - billed
        return SinceBill(billed, added, self.paid, self.first_on, self.last_on)


def find_notice_facts(database: Database, keys: Sequence[str]) -> dict[str, NoticeFacts]:
    """
    Return the facts of each delivery, by its key, in one query.

    A delivery without a run (a communication) is about the newest closed one. One whose run is
    not in the books any more is missing.
    """
    wanted = (
        sa.select(*(delivery.c[name] for name in COLUMNS))
        .where(delivery.c.key.in_(keys))
        .subquery()
    )
    return _find(database, wanted)


def find_facts_of_notice(database: Database, **columns: Any) -> NoticeFacts | None:
    """Return the facts of a notice that no delivery is recorded for, by COLUMNS: for a look."""
    wanted = sa.select(
        *(sa.literal(columns[name], delivery.c[name].type).label(name) for name in COLUMNS)
    ).subquery()
    return _find(database, wanted).get(columns["key"])


def _find(database: Database, wanted: sa.Subquery) -> dict[str, NoticeFacts]:
    with database.reading() as books:
        return {row.key: _to_facts(row) for row in books.execute(select_facts(wanted))}


def _to_facts(row: Any) -> NoticeFacts:
    recipient = Recipient(row.address, row.source or RecipientSource.CUSTOMER_RECORD)
    is_told = row.method_kind is not None and may_see_method(recipient, row.portal_user or "")
    return NoticeFacts(
        utility=row.utility,
        timezone=row.timezone,
        period=row.period,
        customer=row.name or "",
        service_address=row.service_address or "",
        amount_due=row.amount_due,
        added=row.added or ZERO,
        paid=row.paid or ZERO,
        due_on=row.due_on or row.run_due_on,
        first_on=row.first_on,
        last_on=row.last_on,
        corrected_due=row.corrected_due,
        has_plan=bool(row.has_plan),
        payment=_to_payment(row),
        method=row.method_kind if is_told else None,
        last4=row.last4 if is_told else "",
        brand=row.brand if is_told else "",
    )


def _to_payment(row: Any) -> NoticePayment | None:
    if row.amount is None:
        return None
    words = (row.error, row.return_code or row.code)
    was_declined = row.draw_state is DrawState.DECLINED
    return NoticePayment(
        amount=row.amount,
        pay_on=row.pay_on,
        state=row.state,
        taken_at=row.taken_at,
        confirmation=row.confirmation or "",
        receipt=row.receipt or "",
        error=" ".join(word for word in words if word),
        failed_at=row.happened_at or (row.answered_at if was_declined else None),
        advice=None if row.return_code else row.advice,
    )
