"""Holding one bill back, before its period's close or after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_system.closing import take_back_balance
from database.audit import record_audit
from database.books import Database
from database.queries.mandates import mandates_in_force
from database.tables import draw, outsorted_bill, paper, scheduled_payment
from domain.failures import Refused
from domain.money import ZERO, Money
from domain.payments import DRAW, DrawState, PaymentState, Unscheduled
from domain.words import say_count
from mail.outbox.withdrawing import WithdrawnMails, withdraw_bill_mails
from outsorting.standing import BillStanding, lock_bill
from payments.collecting.draws import move_payment
from payments.enrollment.facts import OPEN_DRAWS
from payments.enrollment.records import forget_plan, list_unscheduled

# An autopay payment that has, or may have, the customer's money.
TAKEN = (
    PaymentState.SUBMITTED,
    PaymentState.UNKNOWN,
    PaymentState.SUCCEEDED,
    PaymentState.RETURNED_IN_PART,
)


@dataclass(frozen=True, slots=True)
class Outsorted:
    """
    A bill that is held back now: what was taken back for it, and what cannot be.

    `already`: it was held before, and nothing was changed. `stands` are sentences about what has
    left the office.
    """

    account: str
    period: str
    amount_due: Money
    is_closed: bool
    already: bool = False
    payments: int = 0
    payments_amount: Money = ZERO
    mails: int = 0
    paper: int = 0
    balance_of: str | None = None  # the period that the balance stands for now
    stands: tuple[str, ...] = ()


def outsort_bill(
    database: Database, number: str, period: str, reason: str, *, now: datetime, who: str
) -> Outsorted:
    """
    Hold one account's bill of a period back from all that the close does (contract 7; rules 2-4).

    Before the close nothing has happened and nothing will. After it the balance stands for the
    bill before again, the scheduled payment is cancelled, and what waits of mail and paper is
    taken out; what has left is told. All of it is one transaction, done once. Raises Refused where
    money was drawn for the bill (`drawn`) or a later bill holds its balance (`later-bill`), Misuse
    for an account or period that is not known.
    """
    with database.writing() as books:
        bill = lock_bill(books, number, period)
        if any(row.check_name == "" for row in bill.holds):
            return _outsorted(bill, already=True)
        if bill.is_closed and not bill.is_held:
            _require_takeable(books, bill)
        _record(books, bill, reason, now, who)
        found = _outsorted(bill)
        if bill.is_closed and not bill.is_held:
            found = _take_back(books, bill, reason)
        record_audit(books, now, who, "outsort bill", bill.account, f"{period}: {reason}")
    return found


def _require_takeable(books: Connection, bill: BillStanding) -> None:
    if bill.standing_for not in (None, bill.period) and not bill.is_account_closed:
        raise Refused(
            "later-bill",
            f"The balance of account {bill.account} stands for period {bill.standing_for}: its "
            f"bill holds what the one of {bill.period} asked for. Nothing was changed.",
        )
    rows = scheduled_payment.c
    has_draw = sa.exists().where(draw.c.payment_key == rows.key, draw.c.state.in_(OPEN_DRAWS))
    taken = books.execute(
        sa.select(rows.amount, rows.state).where(
            rows.period == bill.period,
            rows.account_key == bill.key,
            sa.or_(rows.state.in_(TAKEN), sa.and_(rows.state == PaymentState.SCHEDULED, has_draw)),
        )
    ).first()
    if taken is not None:
        is_sure = taken.state in (PaymentState.SUCCEEDED, PaymentState.RETURNED_IN_PART)
        word = "was" if is_sure else "is being"
        raise Refused(
            "drawn",
            f"{taken.amount.dollars()} {word} drawn for the bill of account {bill.account}: a "
            "bill that is paid cannot be held back. Correct it, or give the payment back. "
            "Nothing was changed.",
        )


def _record(books: Connection, bill: BillStanding, reason: str, now: datetime, who: str) -> None:
    books.execute(
        outsorted_bill.insert().values(
            period=bill.period,
            account_key=bill.key,
            account=bill.account,
            check_name="",
            reason=reason,
            outsorted_at=now,
            outsorted_by=who,
        )
    )


def _outsorted(bill: BillStanding, *, already: bool = False) -> Outsorted:
    return Outsorted(
        bill.account,
        bill.period,
        bill.amount_due,
        bill.is_closed,
        already,
        balance_of=bill.standing_for,
    )


def _take_back(books: Connection, bill: BillStanding, reason: str) -> Outsorted:
    """Take back what the close did for the bill and what has not left the office."""
    stands_for = bill.standing_for
    if stands_for == bill.period:
        stands_for = take_back_balance(books, bill.period, bill.key)
    cancelled = _cancel_payments(books, bill, f"outsorted: {reason}")
    _list_unscheduled(books, bill)
    mails = withdraw_bill_mails(books, bill.period, bill.key)
    waiting = books.execute(
        paper.delete().where(
            paper.c.period == bill.period, paper.c.account_key == bill.key, paper.c.part.is_(None)
        )
    ).rowcount
    return Outsorted(
        bill.account,
        bill.period,
        bill.amount_due,
        is_closed=True,
        payments=len(cancelled),
        payments_amount=sum(cancelled, ZERO),
        mails=mails.taken_out,
        paper=waiting,
        balance_of=stands_for,
        stands=(*_say_mailed(mails, bill.timezone), *_say_printed(books, bill)),
    )


def _cancel_payments(books: Connection, bill: BillStanding, error: str) -> list[Money]:
    """Take the bill's autopay off the schedule; a draw that was not asked for is given up."""
    rows = scheduled_payment.c
    waits = books.execute(
        sa.select(rows.key, rows.amount).where(
            rows.period == bill.period,
            rows.account_key == bill.key,
            rows.state == PaymentState.SCHEDULED,
        )
    ).all()
    cancelled = []
    for row in waits:
        if not move_payment(books, row.key, PaymentState.SCHEDULED, "cancelled", error=error):
            continue  # somebody else moved it meanwhile
        cancelled.append(row.amount)
        books.execute(
            draw.update()
            .where(draw.c.payment_key == row.key, draw.c.state == DrawState.CREATED)
            .values(state=DRAW.after(DrawState.CREATED, "abandoned"))
        )
    return cancelled


def _list_unscheduled(books: Connection, bill: BillStanding) -> None:
    """Put who is enrolled on the list of those without a payment, with the reason (rule 82)."""
    forget_plan(books, bill.period, bill.key)
    in_force = mandates_in_force(bill.period, bill.key)
    if books.execute(sa.select(in_force.c.account_key)).first() is not None:
        list_unscheduled(books, bill.period, bill, Unscheduled.HELD)


def _say_mailed(mails: WithdrawnMails, timezone: str) -> tuple[str, ...]:
    said = []
    if mails.sent and mails.last_sent_at is not None:
        on = mails.last_sent_at.astimezone(ZoneInfo(timezone)).date()
        said.append(
            f"The bill was mailed in {say_count(mails.sent, 'mail')}, last on {on}; a mail cannot "
            "be called back."
        )
    if mails.in_doubt:
        said.append(
            f"{say_count(mails.in_doubt, 'mail')} with the bill may be leaving or have left; it is "
            "not tried again."
        )
    return tuple(said)


def _say_printed(books: Connection, bill: BillStanding) -> tuple[str, ...]:
    rows = paper.c
    parts = books.scalars(
        sa.select(rows.part)
        .where(rows.period == bill.period, rows.account_key == bill.key, rows.part.is_not(None))
        .order_by(rows.part)
    )
    return tuple(
        f"The bill is in part {part} of the print batches of {bill.period}; pull it out by hand "
        "if it is not posted yet."
        for part in parts
    )
