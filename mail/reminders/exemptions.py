"""Who was hurt by a failure of ours, out of the books: they get no past-due mail meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from database.books import Database
from database.queries.autopay import payments_left_out
from database.tables import bill_run, delivery, enrollment, paper, print_batch, scheduled_payment
from domain.deliveries import DeliveryStatus, MessageKind
from domain.money import ZERO, Money
from domain.payments import PaymentState
from domain.reminders import Skipped
from mail.reminders.due_dates import DueDate
from rules.mail.reminders import TO_LEAVE, Exemption

Hurt = sa.Select[Any]  # account keys
_PAYMENT = scheduled_payment.c


@dataclass(frozen=True, slots=True)
class Undrawn:
    """Payments whose local day is past and that were not drawn; `since` is the oldest's day."""

    payments: int = 0
    amount: Money = ZERO
    since: date | None = None


def undrawn(database: Database, now: datetime) -> Undrawn:
    """Tell whether collecting is overdue (ruling 20): who reminds must know."""
    query = (
        sa.select(bill_run.c.timezone, _PAYMENT.pay_on, _PAYMENT.amount)
        .join(bill_run, bill_run.c.period == _PAYMENT.period)
        .where(_PAYMENT.state == PaymentState.SCHEDULED, _PAYMENT.pay_on <= now.date())
    )
    with database.reading() as books:
        rows = books.execute(query).all()
    late = [row for row in rows if row.pay_on < now.astimezone(ZoneInfo(row.timezone)).date()]
    if not late:
        return Undrawn()
    amount = sum((row.amount for row in late), ZERO)
    return Undrawn(len(late), amount, min(row.pay_on for row in late))


def hurt_accounts(due: DueDate, exemption: Exemption) -> dict[Skipped, list[Hurt]]:
    """
    Select the accounts of a due date that each failure of ours hurt.

    Nothing of it is stored: what the books tell of mails, paper and payments is the reason, and
    it is over when they tell something else.
    """
    since = exemption.since(due.now)
    late_from = exemption.late_from(due.ends_on, ZoneInfo(due.timezone))
    return {
        Skipped.SHIELDED_DRAW: [_not_drawn(due)],
        Skipped.SHIELDED_SCHEDULE: [
            _scheduled_late(due, since, late_from),
            _not_scheduled(due.period),
        ],
        Skipped.SHIELDED_BILL: [_without_bill(due, since)],
    }


def _not_drawn(due: DueDate) -> Hurt:
    """
    Select whose payment's day has come and that is not drawn, of whatever run (ruling 20).

    It does not matter why: the gateway was not reached, the machine was off, nobody collected.
    It lasts until the payment was drawn or given up, for until then we owe it the try.
    """
    return sa.select(_PAYMENT.account_key).where(
        _PAYMENT.state == PaymentState.SCHEDULED, _PAYMENT.pay_on <= due.today
    )


def _scheduled_late(due: DueDate, since: datetime, late_from: datetime) -> Hurt:
    """Select who was scheduled late by us, not by enrolling late."""
    enrolled_late = sa.exists().where(
        enrollment.c.account_key == _PAYMENT.account_key,
        enrollment.c.enrolled_at >= late_from,
    )
    return sa.select(_PAYMENT.account_key).where(
        _PAYMENT.period == due.period,
        _PAYMENT.immediate,
        _PAYMENT.state != PaymentState.CANCELLED,
        _PAYMENT.scheduled_at >= late_from,
        _PAYMENT.scheduled_at > since,
        ~enrolled_late,
    )


def _not_scheduled(period: str) -> Hurt:
    """Select whose planned payment the schedule left out, or that was forgotten altogether."""
    left_out = payments_left_out(period).subquery()
    return sa.select(left_out.c._account_key)


def _without_bill(due: DueDate, since: datetime) -> Hurt:
    """
    Select whose e-mailed bill reached no mailbox in time, and no paper took its place in time.

    What reached them late, by mail or in a later print batch, counts from that moment on.
    """
    mails = delivery.c
    in_time = sa.or_(mails.sent_at <= due.closed_at + TO_LEAVE, mails.sent_at <= since)
    arrived = sa.and_(mails.status == DeliveryStatus.SENT, in_time)
    written_in_time = sa.exists().where(
        print_batch.c.period == due.period,
        print_batch.c.part == paper.c.part,
        sa.or_(print_batch.c.part == 1, print_batch.c.written_at <= since),
    )
    on_paper = sa.select(paper.c.account_key).where(paper.c.period == due.period, written_in_time)
    return (
        sa.select(mails.account_key)
        .where(
            mails.period == due.period,
            mails.kind == MessageKind.BILL,
            mails.account_key.not_in(on_paper),
        )
        .group_by(mails.account_key, mails.form)
        .having(sa.func.max(sa.case((arrived, 1), else_=0)) == 0)
    )
