"""Autopay: mandates, payment methods, and the payments scheduled for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.money import Money
from domain.states import Transitions


class MethodKind(StrEnum):
    CARD = "card"
    ACH = "ach"


class PaymentKind(StrEnum):
    """Who began a payment that a gateway draws."""

    AUTOPAY = "autopay"
    CHECKOUT = "checkout"  # the customer, by hand


class PaymentState(StrEnum):
    SCHEDULED = "scheduled"  # planned here, not yet asked of the gateway
    SUBMITTED = "submitted"  # asked; until the answer is written down, it may have happened
    UNKNOWN = (
        "unknown"  # asked, and the answer was lost: looked up, asked again under its key alone
    )
    SUCCEEDED = "succeeded"  # the gateway has the customer's money
    DECLINED = "declined"  # the gateway said no; the bill is still owed
    RETURNED_IN_PART = "returned-in-part"  # a part of it went back: disputed or refunded
    RETURNED = "returned"  # all of it went back
    CANCELLED = "cancelled"  # taken off the schedule before it was asked


_TAKEN = (PaymentState.SUCCEEDED, PaymentState.RETURNED_IN_PART, PaymentState.RETURNED)
PAYMENT = Transitions(
    "payment",
    start=PaymentState.SCHEDULED,
    moves={
        (PaymentState.SCHEDULED, "asked"): PaymentState.SUBMITTED,
        (PaymentState.SCHEDULED, "cancelled"): PaymentState.CANCELLED,
        (PaymentState.SUBMITTED, "approved"): PaymentState.SUCCEEDED,
        (PaymentState.SUBMITTED, "declined"): PaymentState.DECLINED,
        (PaymentState.SUBMITTED, "no answer"): PaymentState.UNKNOWN,
        (PaymentState.SUBMITTED, "never arrived"): PaymentState.SCHEDULED,
        (PaymentState.UNKNOWN, "approved"): PaymentState.SUCCEEDED,
        (PaymentState.UNKNOWN, "declined"): PaymentState.DECLINED,
        (PaymentState.UNKNOWN, "never arrived"): PaymentState.SCHEDULED,
        (PaymentState.DECLINED, "tried again"): PaymentState.SCHEDULED,
        (PaymentState.CANCELLED, "enrolled again"): PaymentState.SCHEDULED,
        # a draw that was thought lost or declined landed after all
        (PaymentState.DECLINED, "approved"): PaymentState.SUCCEEDED,
        (PaymentState.SCHEDULED, "approved"): PaymentState.SUCCEEDED,
        (PaymentState.CANCELLED, "approved"): PaymentState.SUCCEEDED,
        **{
            (before, event): after
            for before in _TAKEN
            for event, after in (
                ("returned", PaymentState.RETURNED),
                ("returned in part", PaymentState.RETURNED_IN_PART),
                ("reinstated", PaymentState.SUCCEEDED),
            )
        },
    },
)


class DrawState(StrEnum):
    """One asking of the gateway for a scheduled payment; a payment may need several."""

    CREATED = "created"  # recorded, the gateway has not been asked to draw
    ASKED = "asked"  # may have happened from here on
    APPROVED = "approved"
    DECLINED = "declined"
    ABANDONED = "abandoned"  # surely never happened and never will


DRAW = Transitions(
    "draw",
    start=DrawState.CREATED,
    moves={
        (DrawState.CREATED, "asked"): DrawState.ASKED,
        (DrawState.CREATED, "abandoned"): DrawState.ABANDONED,
        (DrawState.ASKED, "approved"): DrawState.APPROVED,
        (DrawState.ASKED, "declined"): DrawState.DECLINED,
        (DrawState.ASKED, "abandoned"): DrawState.ABANDONED,
        (DrawState.DECLINED, "approved"): DrawState.APPROVED,
        (DrawState.ABANDONED, "approved"): DrawState.APPROVED,
    },
)


class Advice(StrEnum):
    """What a decline means for the next attempt, whatever words the gateway used."""

    LATER = "later"  # no money today: a few more attempts, days apart
    ONCE_MORE = "once-more"  # the bank gives no reason: one more attempt
    CUSTOMER_ACTION = "customer-action"  # the customer has to confirm or lift something
    NEW_METHOD = "new-method"  # this card or account will not do
    NEVER = "never"  # lost, stolen, revoked: the mandate is off
    CLERK = "clerk"  # unusual: a person reads it first


class RefundState(StrEnum):
    """Where a refund stands that we ask the gateway for."""

    ASKED = "asked"  # may have happened: asked again under the same key, which gives back once
    DONE = "done"
    REFUSED = "refused"  # by the gateway: nothing was given back


class PostingKind(StrEnum):
    """What is entered in cash receipting for a payment."""

    RECEIPT = "receipt"
    REVERSAL = "reversal"  # of a payment that was returned
    FEE = "fee"  # for a returned payment, where the office charges one
    SERVICE_FEE = "service-fee"  # what paying this way costs; no money of the account (rule 194)
    SERVICE_FEE_BACK = "service-fee-back"  # it went back with its payment


class PostingState(StrEnum):
    """Where a taken payment stands on its way into cash receipting."""

    PENDING = "pending"
    SUBMITTED = "submitted"  # asked: looked up before it is asked again
    POSTED = "posted"
    REJECTED = "rejected"  # refused for good, or given up: a person must look


POSTING = Transitions(
    "posting",
    start=PostingState.PENDING,
    moves={
        (PostingState.PENDING, "asked"): PostingState.SUBMITTED,
        (PostingState.PENDING, "posted by hand"): PostingState.POSTED,
        (PostingState.PENDING, "given up"): PostingState.REJECTED,
        (PostingState.SUBMITTED, "posted"): PostingState.POSTED,
        (PostingState.SUBMITTED, "rejected"): PostingState.REJECTED,
        (PostingState.SUBMITTED, "never arrived"): PostingState.PENDING,
        (PostingState.SUBMITTED, "given up"): PostingState.REJECTED,
        (PostingState.REJECTED, "tried again"): PostingState.PENDING,
        (PostingState.REJECTED, "posted by hand"): PostingState.POSTED,
    },
)


class Unscheduled(StrEnum):
    """Why an enrolled account has no scheduled payment; the first that applies (rule 81)."""

    HELD = "held"  # its bill is held back: by the office, or for a check that was waived
    ACCOUNT_CLOSED = "account-closed"
    DIRECT_PAY = "direct-pay"
    METHOD_BLOCKED = "method-blocked"
    METHOD_MISSING = "method-missing"  # the mandate's token is no payment method of the export
    ARRANGED = "arranged"  # all that it owes is in a payment arrangement that is in force
    ZERO_BALANCE = "zero-balance"
    OVER_MAXIMUM = "over-maximum"
    AFTER_DUE_DATE = "after-due-date"
    ALREADY_PROCESSED = "already-processed"


@dataclass(frozen=True, slots=True)
class Mandate:
    """Permission to collect an account's balance due from one payment method."""

    account: str
    method_token: str
    method_kind: MethodKind | None  # None: the export does not know the token
    last4: str
    days_prior: int  # counted back from the due date of each period (rule 49)
    maximum: Money | None
    enrolled_on: date
    pays_up_to_maximum: bool | None = None  # the customer's own choice; None: the office's setting
    brand: str = ""  # of the card, or its bank, where the gateway told it


@dataclass(frozen=True, slots=True)
class PlannedPayment:
    """What autopay will do for one enrolled account in one period."""

    account: str
    amount: Money
    pay_on: date | None  # local date; None where nothing is scheduled
    immediate: bool
    unscheduled: Unscheduled | None
