"""Lists of autopay and postings: what is scheduled, what was taken, what is not entered yet."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.postings import is_receipt_of
from database.tables import autopay_unscheduled, posting, scheduled_payment
from domain.payments import PaymentState, PostingState

Select = sa.Select[Any]


def scheduled_payments() -> Select:
    """Select list (i): scheduled for the future or processed, with the office's status (74-80)."""
    payments = scheduled_payment.c
    waiting = (PaymentState.SCHEDULED, PaymentState.SUBMITTED, PaymentState.UNKNOWN)
    status = sa.case(
        (payments.state.in_(waiting), "Pending"),
        (payments.state == PaymentState.SUCCEEDED, payments.confirmation),
        (payments.state == PaymentState.CANCELLED, "Cancelled"),
        else_=sa.func.coalesce(payments.error, "Failed"),
    )
    return sa.select(
        payments.account,
        payments.run.label("period"),
        payments.pay_on.label("pay_date"),
        payments.amount,
        payments.method_kind.label("method"),
        payments.last4,
        payments.immediate,
        payments.state,
        sa.type_coerce(status, sa.String).label("status"),
        payments.confirmation,
        payments.account_key.label("_account_key"),
    )


def unscheduled() -> Select:
    """Select list (ii): enrolled, and no payment in this period (rules 74, 81)."""
    listed = autopay_unscheduled.c
    return sa.select(
        listed.account,
        listed.reason,
        listed.run.label("period"),
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
            scheduled_payment.c.confirmation,
            scheduled_payment.c.account,
            posting.c.amount,
            scheduled_payment.c.taken_at,
            posting.c.attempts,
            sa.case((rests, posting.c.next_retry_at)).label("next_retry"),
            posting.c.error,
            posting.c.kind,
            posting.c.state,
            posting.c.key,
            scheduled_payment.c.account_key.label("_account_key"),
        )
        .join(posting, posting.c.payment_key == scheduled_payment.c.key)
        .where(posting.c.state != PostingState.POSTED)
    )


def completed_payments() -> Select:
    """Select what was taken through the payment gateway (rule 88)."""
    taken = (PaymentState.SUCCEEDED, PaymentState.RETURNED)
    return (
        sa.select(
            scheduled_payment.c.confirmation,
            scheduled_payment.c.account,
            scheduled_payment.c.amount,
            scheduled_payment.c.method_kind.label("method"),
            scheduled_payment.c.taken_at,
            posting.c.posted_at,
            sa.literal("autopay").label("source"),
            posting.c.receipt,
            scheduled_payment.c.state,
            scheduled_payment.c.account_key.label("_account_key"),
        )
        .outerjoin(
            posting,
            is_receipt_of(scheduled_payment.c.key),
        )
        .where(scheduled_payment.c.state.in_(taken))
    )
