"""What the office needs of whatever collects its payments; tokens only, never a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.money import ZERO, Money
from domain.payments import Advice, MethodKind

_CODES = {
    Advice.LATER: (
        "insufficient_funds",
        "try_again_later",
        "processing_error",
        "issuer_not_available",
        "card_velocity_exceeded",
        "withdrawal_count_limit_exceeded",
        "reenter_transaction",
    ),
    Advice.ONCE_MORE: (
        "do_not_honor",
        "generic_decline",
        "card_declined",
        "call_issuer",
        "no_action_taken",
        "not_permitted",
        "service_not_allowed",
        "transaction_not_allowed",
    ),
    Advice.CUSTOMER_ACTION: (
        "authentication_required",
        "approve_with_id",
        "offline_pin_required",
        "payment_intent_authentication_failure",
        "online_or_offline_pin_required",
    ),
    Advice.NEW_METHOD: (
        "expired_card",
        "incorrect_number",
        "incorrect_cvc",
        "incorrect_zip",
        "incorrect_address",
        "incorrect_pin",
        "invalid_number",
        "invalid_account",
        "invalid_cvc",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "card_not_supported",
        "currency_not_supported",
        "new_account_information_available",
        "payment_method_unactivated",
    ),
    Advice.NEVER: (
        "lost_card",
        "stolen_card",
        "pickup_card",
        "restricted_card",
        "account_closed",
        "fraudulent",
        "merchant_blacklist",
        "security_violation",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "stop_payment_order",
    ),
}
ADVICE = {code: advice for advice, codes in _CODES.items() for code in codes}


def advice_for(code: str) -> Advice:
    """Return what a decline code means; a code that nobody knows is read by a clerk first."""
    return ADVICE.get(code, Advice.CLERK)


class GatewayMisuse(Exception):
    """The gateway says that we ask wrongly (other amount under a used key): stop, call support."""


class DrawAnswer(StrEnum):
    """What the gateway knows of a draw."""

    APPROVED = "approved"  # the money is ours; an ACH draw may still be returned
    DECLINED = "declined"
    AWAITS = "awaits"  # the customer's bank wants a yes on a page of its own; nothing is drawn yet
    NOT_FOUND = "not-found"  # it knows nothing of it now, which is no proof that it never will


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """
    One draw to be asked for.

    `key` is made of business facts (`autopay/2026-10/0110371/1`): asked again under the same key,
    a gateway that keeps keys answers as before. `amount` is in cents of the office's currency.
    `is_by_customer`: the customer asked for it at that moment, before the page; card networks want
    to be told which of the two it is. `returns_to` is where the page of their bank leads them back
    to; where it is empty nobody waits, and a draw that wants the customer is given up.
    """

    key: str
    account: str
    method_token: str = field(repr=False)
    method_kind: MethodKind
    amount: Money
    is_by_customer: bool = False
    returns_to: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DrawResult:
    """
    The gateway's answer; `reference` is its own number, which is the confirmation (rule 78).

    `code` is the gateway's word for a decline and `advice` what it means for us; neither holds
    personal data. `answered_at` is a moment in UTC, by the gateway's clock. `bank_page` is where a
    customer whose draw AWAITS them is sent: a secret of theirs, which no log may have.
    """

    answer: DrawAnswer
    reference: str | None = None
    amount: Money | None = None
    code: str = ""
    advice: Advice | None = None
    answered_at: datetime | None = None
    bank_page: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Refunded:
    """Money that went back to the customer; `reference` is the gateway's number of it."""

    reference: str
    amount: Money


class LateEventKind(StrEnum):
    """What a gateway may tell days after a draw."""

    APPROVED_LATE = "approved-late"  # a draw that was thought lost or declined landed after all
    RETURNED = "returned"  # the bank took an ACH draw back (R-codes), or says no at last
    CHARGED_BACK = "charged-back"  # the card holder's bank has taken the money of a dispute
    REINSTATED = "reinstated"  # a dispute was won: its money is ours again
    REFUNDED = "refunded"  # given back, by us or by somebody at the gateway's desk
    REFUND_FAILED = "refund-failed"  # it could not be given back: the money is ours still
    CHANGE = "change"  # a notification of change (C-codes): nothing to give back


@dataclass(frozen=True, slots=True)
class LateEvent:
    """
    One late event, with an id of its own so that taking it in twice is taking it in once.

    `amount` is above zero, whichever way the money went. `refund_key` is the key under which we
    asked for a refund, empty for one of somebody else's: the event of our own is our own row.
    `fee` is what the gateway charges for a dispute: the office's cost and never the customer's.
    `answer_by`: until when the office may answer a dispute at the gateway, where it says so.
    """

    event_id: str
    kind: LateEventKind
    draw_key: str
    reference: str
    amount: Money
    code: str  # R01, C01, the scheme's reason
    happened_at: datetime
    refund_key: str = ""
    fee: Money = ZERO
    answer_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class SettledDraw:
    """One line of a settlement; returns and charge-backs count below zero."""

    reference: str
    draw_key: str
    amount: Money
    fee: Money


@dataclass(frozen=True, slots=True)
class Settlement:
    """One payout of the gateway to the office's bank account: net = gross less fees."""

    settlement_id: str
    pays_out_on: date
    gross: Money
    fees: Money
    net: Money
    items: tuple[SettledDraw, ...]


class PaymentGateway(Protocol):
    """
    Collects payments.

    Every method raises TemporaryFailure where surely nothing happened, PermanentFailure where it
    never will, OutcomeUnknown where it may have happened, and GatewayMisuse where we asked wrongly.
    Whatever an adapter does not know for certain is OutcomeUnknown. No adapter tries anything
    again by itself.
    """

    name: str
    key_window: timedelta  # so long a key is kept; asked again after that, money moves again

    def prepare(self, request: DrawRequest) -> str:
        """Announce a draw and return the gateway's reference of it; no money moves."""
        ...

    def confirm(self, reference: str, request: DrawRequest) -> DrawResult:
        """
        Draw what was prepared; a decline is an answer, not an exception.

        A draw that wants the customer AWAITS them where the request says where they come back to.
        """
        ...

    def lookup(self, request: DrawRequest, reference: str | None) -> DrawResult:
        """
        Find out what became of a draw, by its reference or its key; moves no money.

        One that awaits its customer is given up where the request says of no way back, and is
        declined from then on, if they were not faster.
        """
        ...

    def refund(self, reference: str, amount: Money, key: str) -> Refunded:
        """Give back a draw or a part of it; under a used key the answer is the same again."""
        ...

    def settlements(self, since: date) -> Iterator[Settlement]:
        """Yield payouts from a day on, oldest first."""
        ...

    def late_events(self, since: datetime) -> Iterator[LateEvent]:
        """Yield late events from a moment on, oldest first; some may come twice."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
