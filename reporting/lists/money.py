"""Lists of autopay and postings: what is scheduled, what was taken, what is not entered yet."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.checkout import checkout, checkout_line
from database.ledger.tables import balance_entry, payment_event
from database.postings import is_receipt_of
from database.tables import (
    autopay_unscheduled,
    balance_due,
    draw,
    gateway_payment,
    posting,
    scheduled_payment,
)
from database.types import Cents, NoonOf
from domain.checkout import OTHER
from domain.ledger import EntryKind, EntrySource
from domain.money import ZERO
from domain.payments import PaymentState, PostingState
from reporting.lists.reading import day_of
from rules.money.returns import MEANINGS, say_reason

Select = sa.Select[Any]
AUTOPAY_ENDED = "its autopay was ended or agreed anew"  # nothing else cancels without a word


def scheduled_payments() -> Select:
    """
    Select list (i): scheduled or processed, with the office's status (rules 74-80, 89).

    `Pending` is the office's word for three states of ours, and a label only (ruling 2).

    `error` says why a payment failed or was cancelled, and of one that waits for its next try why
    the last one failed (rule 79).
    """
    payments = scheduled_payment.c
    has_ended = sa.and_(payments.state == PaymentState.CANCELLED, payments.error.is_(None))
    error = sa.case((has_ended, AUTOPAY_ENDED), else_=sa.func.coalesce(payments.error, ""))
    waiting = (PaymentState.SCHEDULED, PaymentState.SUBMITTED, PaymentState.UNKNOWN)
    status = sa.case(
        (payments.state.in_(waiting), "Pending"),
        (payments.state == PaymentState.SUCCEEDED, payments.confirmation),
        (payments.state == PaymentState.CANCELLED, "Cancelled"),
        else_=sa.func.coalesce(payments.error, "Failed"),
    )
    return sa.select(
        payments.account,
        payments.period.label("period"),
        payments.pay_on.label("pay_date"),
        payments.amount,
        payments.method_kind.label("method"),
        payments.last4,
        payments.immediate,
        payments.state,
        sa.type_coerce(status, sa.String).label("status"),
        payments.confirmation,
        sa.type_coerce(error, sa.String).label("error"),
        payments.account_key.label("_account_key"),
    )


def unscheduled() -> Select:
    """Select list (ii): enrolled, and no payment in this period (rules 74, 81)."""
    listed = autopay_unscheduled.c
    return sa.select(
        listed.account,
        listed.reason,
        listed.period.label("period"),
        listed.account_key.label("_account_key"),
    )


def pending_payments() -> Select:
    """
    Select what was taken and not posted; it should always be blank (rules 84-86).

    What was taken back and not taken out again stands there too, as a reversal. What waits for a
    person has no next retry.
    """
    rests = posting.c.state != PostingState.REJECTED
    return (
        sa.select(
            gateway_payment.c.confirmation,
            _account_of_line(),
            posting.c.amount,
            gateway_payment.c.taken_at,
            posting.c.attempts,
            sa.case((rests, posting.c.next_retry_at)).label("next_retry"),
            posting.c.error,
            posting.c.kind,
            posting.c.state,
            posting.c.key,
            gateway_payment.c.account_key.label("_account_key"),
        )
        .join(posting, posting.c.payment_key == gateway_payment.c.key)
        .outerjoin(checkout, checkout.c.payment_key == gateway_payment.c.key)
        .outerjoin(
            checkout_line,
            sa.and_(
                checkout_line.c.checkout == checkout.c.key,
                checkout_line.c.number == posting.c.line,
            ),
        )
        .where(posting.c.state != PostingState.POSTED)
    )


def completed_payments() -> Select:
    """
    Select every payment that was taken, and by which way (rule 88).

    `source`: autopay and checkout, second draws included; counter, what the billing system tells of
    payments elsewhere. One that went back in whole or in part stands there with its state. Where
    the billing system told the day alone, `taken_at` is shown as that day.
    """
    selects = (_drawn(), _drawn_twice(), _paid_at_counter())
    return sa.select(sa.union_all(*selects).subquery("completed"))


def _drawn() -> Select:
    """Select a row for each line of what was taken; the service fee stands with the first."""
    taken = (PaymentState.SUCCEEDED, PaymentState.RETURNED_IN_PART, PaymentState.RETURNED)
    payments, line = gateway_payment.c, checkout_line.c
    number = sa.func.coalesce(line.number, 1)
    fee = sa.case((number == 1, payments.service_fee), else_=sa.literal(ZERO, Cents()))
    of_line = sa.case((line.number.is_(None), payments.amount), else_=line.amount + fee)
    return (
        sa.select(
            payments.confirmation,
            _account_of_line(),
            sa.type_coerce(of_line, Cents()).label("amount"),
            sa.cast(payments.method_kind, sa.String).label("method"),
            payments.taken_at,
            posting.c.posted_at,
            sa.cast(payments.kind, sa.String).label("source"),
            posting.c.receipt,
            sa.cast(payments.state, sa.String).label("state"),
            sa.type_coerce(fee, Cents()).label("service_fee"),
            sa.func.coalesce(sa.func.nullif(line.account_key, ""), payments.account_key).label(
                "_account_key"
            ),
            sa.cast(sa.null(), sa.Date).label(day_of("taken_at")),
        )
        .outerjoin(checkout, checkout.c.payment_key == payments.key)
        .outerjoin(checkout_line, line.checkout == checkout.c.key)
        .outerjoin(posting, is_receipt_of(payments.key, line=number))
        .where(payments.state.in_(taken))
    )


def returned_payments() -> Select:
    """
    Select what went back of payments that were taken: a row for each time it did.

    A bank's return, a dispute and a refund take money back; a dispute that was won, and a refund
    that failed, bring it again. `answer_by` is until when a dispute may be answered at the gateway,
    `state` that of the payment now. Of several accounts of one payment the first stands there.
    """
    event, payments = payment_event.c, gateway_payment.c
    known = [(event.code == code, say_reason(code)) for code in MEANINGS]
    return (
        sa.select(
            payments.account,
            event.happened_at,
            event.kind,
            event.amount,
            sa.case(*known, else_=event.code).label("reason"),
            event.answer_by,
            payments.state,
            payments.confirmation,
            payments.method_kind.label("method"),
            payments.last4,
            sa.cast(payments.kind, sa.String).label("source"),
            payments.taken_at,
            event.fee,
            payments.period.label("period"),
            payments.account_key.label("_account_key"),
            event.event_id.label("_event"),
        )
        .join(draw, draw.c.key == event.draw_key)
        .join(gateway_payment, payments.key == draw.c.payment_key)
    )


def _account_of_line() -> sa.ColumnElement[str]:
    """Give the account that a line pays, or what else it does; autopay's is the payment's own."""
    line = checkout_line.c
    other = sa.literal(OTHER).concat(line.distribution)
    by_hand = sa.case((line.distribution != "", other), else_=line.account)
    return sa.func.coalesce(by_hand, gateway_payment.c.account).label("account")


def _drawn_twice() -> Select:
    entries, payments = balance_entry.c, gateway_payment.c
    return (
        sa.select(
            entries.reference.label("confirmation"),
            payments.account,
            sa.type_coerce(-entries.amount, Cents()).label("amount"),
            sa.cast(payments.method_kind, sa.String).label("method"),
            entries.happened_at.label("taken_at"),
            sa.null().label("posted_at"),
            sa.cast(payments.kind, sa.String).label("source"),
            sa.null().label("receipt"),
            sa.func.coalesce(draw.c.code, "").label("state"),
            sa.literal(ZERO, Cents()).label("service_fee"),
            entries.account_key.label("_account_key"),
            sa.cast(sa.null(), sa.Date).label(day_of("taken_at")),
        )
        .join(payments.key.table, payments.key == entries.payment_key)
        .outerjoin(draw, draw.c.reference == entries.reference)
        .where(
            entries.kind == EntryKind.PAYMENT,
            entries.source != EntrySource.FEED,
            ~entries.counts,
        )
    )


def _paid_at_counter() -> Select:
    entries = balance_entry.c
    return (
        sa.select(
            entries.reference.label("confirmation"),
            sa.func.coalesce(balance_due.c.account, entries.account_key).label("account"),
            sa.type_coerce(-entries.amount, Cents()).label("amount"),
            sa.literal("").label("method"),
            sa.func.coalesce(entries.happened_at, NoonOf(entries.happened_on)).label("taken_at"),
            entries.told_at.label("posted_at"),
            sa.literal("counter").label("source"),
            sa.null().label("receipt"),
            sa.literal("succeeded").label("state"),
            sa.literal(ZERO, Cents()).label("service_fee"),
            entries.account_key.label("_account_key"),
            sa.case((entries.happened_at.is_(None), entries.happened_on)).label(day_of("taken_at")),
        )
        .outerjoin(balance_due, balance_due.c.account_key == entries.account_key)
        .where(
            entries.kind == EntryKind.PAYMENT,
            entries.source == EntrySource.FEED,
            entries.amount < sa.literal(ZERO, Cents()),
        )
    )
