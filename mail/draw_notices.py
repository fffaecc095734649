"""Words before a draw: who hears of its amount and day, where no e-bill tells them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import bill_run, delivery, draw, run_step, scheduled_payment
from database.varying import is_varying
from domain.deliveries import DeliveryStatus, MessageKind
from domain.payments import PaymentState
from domain.steps import Step
from mail.announcing import NoticeCounts, Notifying, queue_notices
from mail.receipts import payments_of

_PAYMENT = scheduled_payment.c
_TELLS_YET = (  # it says what is scheduled when it leaves
    DeliveryStatus.QUEUED,
    DeliveryStatus.SENDING,
    DeliveryStatus.DEFERRED,
    DeliveryStatus.IN_DOUBT,
)


def queue_draw_notices(database: Database, terms: Notifying) -> NoticeCounts:
    """
    Record a mail that tells amount and day of a draw to come, once for each payment.

    Owed before a draw of a changed amount from a bank account; the office may tell of all. Who has
    it in the e-bill is not told twice, so nothing is recorded before the e-bills of the period
    have been sent. A draw that is tried again was told by the mail about its failure.
    """

    def find(books: Connection) -> list[tuple[str, sa.Select[Any]]]:
        if terms.autopay_scheduled == "none":
            return []
        return [_of_run(row, terms) for row in books.execute(_mailed_runs()).all()]

    return queue_notices(database, MessageKind.AUTOPAY_SCHEDULED, find, terms)


def _mailed_runs() -> sa.Select[Any]:
    """Select the runs with payments to come whose e-bills were sent, and when that ended."""
    waits = sa.exists().where(
        _PAYMENT.run == run_step.c.run, _PAYMENT.state == PaymentState.SCHEDULED
    )
    return (
        sa.select(run_step.c.run, run_step.c.finished_at, bill_run.c.timezone)
        .join(bill_run, bill_run.c.run == run_step.c.run)
        .where(run_step.c.step == Step.SEND, waits)
        .order_by(run_step.c.run)
    )


def _of_run(row: Any, terms: Notifying) -> tuple[str, sa.Select[Any]]:
    today = terms.now.astimezone(ZoneInfo(row.timezone)).date()
    conditions = [*_is_to_come(today), ~_is_told_by_bill(row.run, row.finished_at)]
    if terms.autopay_scheduled == "varying":
        conditions.append(is_varying(scheduled_payment, row.run))
    return row.run, payments_of(row.run, *conditions)


def _is_to_come(today: date) -> list[sa.ColumnElement[bool]]:
    return [
        _PAYMENT.state == PaymentState.SCHEDULED,
        _PAYMENT.number == 1,
        _PAYMENT.pay_on >= today,
        ~sa.exists().where(draw.c.payment_key == _PAYMENT.key),
    ]


def _is_told_by_bill(run: str, mailed_at: datetime) -> sa.ColumnElement[bool]:
    """Claim that an e-bill told of the payment, or will: one that left after it was scheduled."""
    mails = delivery.c
    left_after = sa.and_(
        mails.status == DeliveryStatus.SENT,
        sa.or_(_PAYMENT.scheduled_at <= mailed_at, mails.sent_at >= _PAYMENT.scheduled_at),
    )
    return sa.exists().where(
        mails.run == run,
        mails.account_key == _PAYMENT.account_key,
        mails.kind == MessageKind.BILL,
        sa.or_(left_after, mails.status.in_(_TELLS_YET)),
    )
