"""Notices about payments: a receipt for what was drawn, a word before what will be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.queries.autopay import is_varying
from database.tables import account, bill_run, delivery, draw, run_step, scheduled_payment
from domain.deliveries import DeliveryStatus, MessageKind
from domain.payments import DrawState, PaymentState
from domain.reminders import Skipped
from domain.steps import Step
from mail.notices.recording import record_new
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import without_known
from mail.recipients.addresses import Some, read_addresses
from mail.recipients.suppressed import suppressed_mailboxes

AGAIN = "/on-"  # between a payment's key and the new day that a mail tells
CHUNK = 2_000  # payments in memory at a time
Find = Callable[[Connection], list[tuple[str, sa.Select[Any]]]]


@dataclass(frozen=True, slots=True)
class Notifying:
    """On what terms an office sends notices; `records` is false where it only wants to know."""

    now: datetime
    who: str
    message_domain: str
    to_landlords: bool = True
    receipts: bool = True
    autopay_scheduled: Literal["varying", "all", "none"] = "varying"
    method_expiring_days: int = 30  # so long before a card is no good; 0: nobody is told
    records: bool = True


@dataclass(slots=True)
class NoticeCounts:
    """Mails recorded now, and payments that nobody can be told of, by why."""

    queued: int = 0
    skipped: Counter[Skipped] = field(default_factory=Counter)


def queue_notices(
    database: Database, kind: MessageKind, find: Find, terms: Notifying
) -> NoticeCounts:
    """
    Record one mail of a kind for each payment found and mailbox of its account, paperless or not.

    `find` gives the payments by run: account_key, account, cosigner_id, and `about`, the payment's
    key. However often this is done, each is recorded once. Which card or bank account it was
    stands only in the mail to its owner (rules 117, 118).
    """
    counts = NoticeCounts()
    with database.reading() as books:
        for period, payments in find(books):
            messages = _messages(books, kind, period, payments, terms, counts.skipped)
            while batch := list(islice(messages, CHUNK)):
                new, _ = without_known(books, batch)
                counts.queued += record_new(database, kind, period, new, terms)
    return counts


def _messages(
    books: Connection,
    kind: MessageKind,
    period: str,
    payments: sa.Select[Any],
    terms: Notifying,
    skipped: Counter[Skipped],
) -> Iterator[PlannedMessage]:
    suppressed = suppressed_mailboxes(books)
    rows = books.execute(payments.execution_options(yield_per=CHUNK))
    for chunk in rows.partitions():
        some = Some([row.account_key for row in chunk], [row.cosigner_id for row in chunk])
        known = read_addresses(books, period, some, to_landlords=terms.to_landlords)
        for row in chunk:
            everybody = known.of(row.account_key, row.cosigner_id)
            reached = [one for one in everybody if one.mailbox not in suppressed]
            if not reached:
                skipped[Skipped.SUPPRESSED if everybody else Skipped.NO_ADDRESS] += 1
            for one in reached:
                yield PlannedMessage(
                    kind, row.about, one.address, one.source, row.account, period, kind.value
                )


TOLD_FOR = timedelta(days=14)  # a receipt that comes later is no news
_RECEIPT_PAYMENT = scheduled_payment.c


def queue_receipts(database: Database, terms: Notifying) -> NoticeCounts:
    """
    Record a receipt for each payment that was drawn in the last weeks; once, whatever happens.

    One that came back meanwhile gets none: the customer hears of that instead.
    """
    if not terms.receipts:
        return NoticeCounts()

    def find(books: Connection) -> list[tuple[str, sa.Select[Any]]]:
        drawn = sa.and_(
            _RECEIPT_PAYMENT.state == PaymentState.SUCCEEDED,
            _RECEIPT_PAYMENT.taken_at >= terms.now - TOLD_FOR,
        )
        runs = books.scalars(
            sa.select(_RECEIPT_PAYMENT.period)
            .where(drawn)
            .distinct()
            .order_by(_RECEIPT_PAYMENT.period)
        )
        return [(period, payments_of(period, drawn)) for period in runs]

    return queue_notices(database, MessageKind.RECEIPT, find, terms)


def payments_of(period: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select payments of a run with what a notice needs, in the order of their account keys."""
    same_account = sa.and_(
        account.c.period == _RECEIPT_PAYMENT.period,
        account.c.account_key == _RECEIPT_PAYMENT.account_key,
    )
    return (
        sa.select(
            _RECEIPT_PAYMENT.account_key,
            _RECEIPT_PAYMENT.account,
            account.c.cosigner_id,
            _RECEIPT_PAYMENT.key.label("about"),
        )
        .join(account, same_account)
        .where(_RECEIPT_PAYMENT.period == period, *conditions)
        .order_by(_RECEIPT_PAYMENT.account_key, _RECEIPT_PAYMENT.number)
    )


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
    have been sent. A draw that is tried again was told by the mail about its failure. One that was
    never taken and is drawn on another day after all is told whatever the office tells of: no
    e-bill says that day.
    """

    def find(books: Connection) -> list[tuple[str, sa.Select[Any]]]:
        runs = books.execute(_mailed_runs()).all()
        again = [_drawn_later(row, terms) for row in runs]
        if terms.autopay_scheduled == "none":
            return again
        return again + [_of_run(row, terms) for row in runs]

    return queue_notices(database, MessageKind.AUTOPAY_SCHEDULED, find, terms)


def _mailed_runs() -> sa.Select[Any]:
    """Select the runs with payments to come whose e-bills were sent, and when that ended."""
    waits = sa.exists().where(
        _PAYMENT.period == run_step.c.period, _PAYMENT.state == PaymentState.SCHEDULED
    )
    return (
        sa.select(run_step.c.period, run_step.c.finished_at, bill_run.c.timezone)
        .join(bill_run, bill_run.c.period == run_step.c.period)
        .where(run_step.c.step == Step.SEND, waits)
        .order_by(run_step.c.period)
    )


def _of_run(row: Any, terms: Notifying) -> tuple[str, sa.Select[Any]]:
    today = terms.now.astimezone(ZoneInfo(row.timezone)).date()
    conditions = [*_is_to_come(today), ~_is_told_by_bill(row.period, row.finished_at)]
    if terms.autopay_scheduled == "varying":
        conditions.append(is_varying(scheduled_payment, row.period))
    return row.period, payments_of(row.period, *conditions)


def _drawn_later(row: Any, terms: Notifying) -> tuple[str, sa.Select[Any]]:
    """Select payments that a person found to be never taken, and that wait for their new day."""
    today = terms.now.astimezone(ZoneInfo(row.timezone)).date()
    draws, other = draw.c, draw.alias("other_draw")
    was_never_taken = sa.exists().where(
        draws.payment_key == _PAYMENT.key,
        draws.state == DrawState.ABANDONED,
        draws.asked_at.is_not(None),
    )
    is_drawn = sa.exists().where(
        other.c.payment_key == _PAYMENT.key, other.c.state != DrawState.ABANDONED
    )
    found = payments_of(
        row.period,
        _PAYMENT.state == PaymentState.SCHEDULED,
        _PAYMENT.pay_on > today,
        was_never_taken,
        ~is_drawn,
    )
    about = _PAYMENT.key.concat(AGAIN).concat(sa.cast(_PAYMENT.pay_on, sa.String))
    return row.period, found.with_only_columns(
        _PAYMENT.account_key, _PAYMENT.account, account.c.cosigner_id, about.label("about")
    )


def _is_to_come(today: date) -> list[sa.ColumnElement[bool]]:
    return [
        _PAYMENT.state == PaymentState.SCHEDULED,
        _PAYMENT.number == 1,
        _PAYMENT.pay_on >= today,
        ~sa.exists().where(draw.c.payment_key == _PAYMENT.key),
    ]


def _is_told_by_bill(period: str, mailed_at: datetime) -> sa.ColumnElement[bool]:
    """Claim that an e-bill told of the payment, or will: one that left after it was scheduled."""
    mails = delivery.c
    left_after = sa.and_(
        mails.status == DeliveryStatus.SENT,
        sa.or_(_PAYMENT.scheduled_at <= mailed_at, mails.sent_at >= _PAYMENT.scheduled_at),
    )
    return sa.exists().where(
        mails.period == period,
        mails.account_key == _PAYMENT.account_key,
        mails.kind == MessageKind.BILL,
        sa.or_(left_after, mails.status.in_(_TELLS_YET)),
    )
