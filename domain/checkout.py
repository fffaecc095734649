"""Checkouts: payments that customers make by hand, from the check page to the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.money import Money
from domain.payments import Advice, MethodKind, PaymentState

LASTS = timedelta(minutes=30)  # so long a check page may be said yes to


class CheckoutState(StrEnum):
    """How far the customer came; what became of the money is the payment's state."""

    DRAFT = "draft"  # the check page is shown, nothing is asked of anybody
    SUBMITTED = "submitted"  # said yes to, once: from here on it is a payment
    REFUSED = "refused"  # said yes to, and something had changed: nothing was taken


class NotTaken(StrEnum):
    """Why a checkout is not accepted, or was refused at the yes."""

    NOTHING_PAYABLE = "nothing-payable"
    OVER_PAYABLE = "over-payable"
    METHOD_GONE = "method-gone"
    METHOD_BLOCKED = "method-blocked"  # rule 136
    METHOD_SUSPENDED = "method-suspended"
    FEE_CHANGED = "fee-changed"
    ACCOUNT_GONE = "account-gone"


@dataclass(frozen=True, slots=True)
class PayMethod:
    """A card or bank account of the customer's own wallet."""

    token: str
    kind: MethodKind
    last4: str


@dataclass(frozen=True, slots=True)
class PayableAccount:
    """What can be paid on an account now, and with what: read in one transaction."""

    account_key: str
    account: str
    period: str
    timezone: str
    owed: Money  # the open balance
    on_its_way: Money
    block_ach: bool
    block_card: bool
    wallet: tuple[PayMethod, ...]
    suspended: frozenset[str]  # tokens from which nothing is drawn

    def method(self, token: str) -> PayMethod | None:
        return next((one for one in self.wallet if one.token == token), None)

    def is_blocked(self, kind: MethodKind) -> bool:
        return self.block_ach if kind is MethodKind.ACH else self.block_card


class CheckoutEnd(StrEnum):
    """What a page says of a checkout."""

    OPEN = "open"
    EXPIRED = "expired"
    REFUSED = "refused"
    ON_ITS_WAY = "on-its-way"  # asked, and the answer is not there: nobody pays again
    PAID = "paid"
    DECLINED = "declined"
    NOT_TAKEN = "not-taken"  # it surely never reached the gateway
    RETURNED = "returned"


_ENDS = {
    PaymentState.SUCCEEDED: CheckoutEnd.PAID,
    PaymentState.RETURNED_IN_PART: CheckoutEnd.PAID,
    PaymentState.DECLINED: CheckoutEnd.DECLINED,
    PaymentState.CANCELLED: CheckoutEnd.NOT_TAKEN,
    PaymentState.RETURNED: CheckoutEnd.RETURNED,
}


@dataclass(frozen=True, slots=True)
class Checkout:
    """One payment by hand as it stands; `payment` None: nothing was asked of anybody."""

    key: str
    user: int
    address: str
    account_key: str
    account: str
    amount: Money
    service_fee: Money
    method: PayMethod
    state: CheckoutState
    not_taken: NotTaken | None
    expires_at: datetime
    payment: PaymentState | None
    confirmation: str
    error: str
    advice: Advice | None
    taken_at: datetime | None

    @property
    def total(self) -> Money:
        return self.amount + self.service_fee

    def end(self, now: datetime) -> CheckoutEnd:
        if self.payment is not None:
            return _ENDS.get(self.payment, CheckoutEnd.ON_ITS_WAY)
        if self.state is CheckoutState.REFUSED:
            return CheckoutEnd.REFUSED
        return CheckoutEnd.OPEN if now < self.expires_at else CheckoutEnd.EXPIRED
