"""Checkouts: payments that customers make by hand, from the check page to the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.money import Money
from domain.payments import Advice, MethodKind, PaymentState

LASTS = timedelta(minutes=30)  # so long a check page may be said yes to
OTHER = "other/"  # stands before the code of what is paid on no account: no account's key has a `/`


class CheckoutState(StrEnum):
    """How far the customer came; what became of the money is the payment's state."""

    DRAFT = "draft"  # the check page is shown, nothing is asked of anybody
    SUBMITTED = "submitted"  # said yes to, once: from here on it is a payment
    REFUSED = "refused"  # said yes to, and something had changed: nothing was taken


class NotTaken(StrEnum):
    """Why a checkout is not accepted, or was refused at the yes."""

    NOTHING_PAYABLE = "nothing-payable"
    OVER_PAYABLE = "over-payable"
    OVER_MOST = "over-most"  # more than one payment may be
    METHOD_GONE = "method-gone"
    METHOD_BLOCKED = "method-blocked"  # rule 136
    METHOD_SUSPENDED = "method-suspended"
    FEE_CHANGED = "fee-changed"
    PRICE_CHANGED = "price-changed"  # of what else is paid, since it was put into the cart
    ACCOUNT_GONE = "account-gone"
    NOT_OFFERED = "not-offered"  # what is not for sale in the portal any more (rules 197, 198)
    CART_OFF = "cart-off"  # several things at once, and the office does not let it (rule 195)
    NOT_YET = "not-yet"  # no period is closed: payments have no place in the books


@dataclass(frozen=True, slots=True)
class PayMethod:
    """A card or bank account of the customer's own wallet; the default one is offered first."""

    token: str
    kind: MethodKind
    last4: str
    is_default: bool = False
    brand: str = ""


@dataclass(frozen=True, slots=True)
class CheckoutOwner:
    """
    Who pays by hand: a portal user, or a guest, who is known by the hash of a cookie.

    `address` is where the receipt goes.
    """

    user: int | None
    address: str
    guest: str = ""

    @property
    def who(self) -> str:
        return "guest" if self.user is None else f"customer {self.user}"


@dataclass(frozen=True, slots=True)
class PayLine:
    """
    One line of a payment by hand: an account's balance, or something else (rules 191-193).

    `account_key` is empty where it is something else; then `account` is the customer's or the
    permit's number, empty where none is asked for.
    """

    account_key: str
    account: str
    amount: Money
    distribution: str = ""  # the code of what else is paid
    title: str = ""  # how it is called there
    payor: str = ""
    comment: str = ""

    @property
    def is_of_account(self) -> bool:
        return not self.distribution

    @property
    def subject(self) -> str:
        """What the books call it: the account, or what else was paid."""
        return self.account if self.is_of_account else f"{OTHER}{self.distribution}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a payment by hand is not accepted, and of which account where one is the reason."""

    reason: NotTaken
    account: str = ""


@dataclass(frozen=True, slots=True)
class PayableAccount:
    """What can be paid on an account now: read in one transaction."""

    account_key: str
    account: str
    period: str
    timezone: str
    owed: Money  # the open balance
    on_its_way: Money
    block_ach: bool
    block_card: bool

    def is_blocked(self, kind: MethodKind) -> bool:
        return self.block_ach if kind is MethodKind.ACH else self.block_card


@dataclass(frozen=True, slots=True)
class PayWallet:
    """What somebody may pay with: their own methods, and which of them nothing is drawn from."""

    methods: tuple[PayMethod, ...] = ()
    suspended: frozenset[str] = frozenset()

    def method(self, token: str) -> PayMethod | None:
        return next((one for one in self.methods if one.token == token), None)


class CheckoutEnd(StrEnum):
    """What a page says of a checkout."""

    OPEN = "open"
    EXPIRED = "expired"
    REFUSED = "refused"
    AWAITS = "awaits"  # the bank wants its customer's yes on a page of its own
    ON_ITS_WAY = "on-its-way"  # asked, and the answer is not there: nobody pays again
    PAID = "paid"
    PAID_IN_PART = "paid-in-part"  # a part of it went back
    DECLINED = "declined"
    NOT_TAKEN = "not-taken"  # it surely never reached the gateway
    RETURNED = "returned"


CAME_TO_NOTHING = frozenset(
    (
        CheckoutEnd.EXPIRED,
        CheckoutEnd.REFUSED,
        CheckoutEnd.DECLINED,
        CheckoutEnd.NOT_TAKEN,
        CheckoutEnd.RETURNED,
    )
)  # what was to be paid is to be paid still
_ENDS = {
    PaymentState.SUCCEEDED: CheckoutEnd.PAID,
    PaymentState.RETURNED_IN_PART: CheckoutEnd.PAID_IN_PART,
    PaymentState.DECLINED: CheckoutEnd.DECLINED,
    PaymentState.CANCELLED: CheckoutEnd.NOT_TAKEN,
    PaymentState.RETURNED: CheckoutEnd.RETURNED,
}


@dataclass(frozen=True, slots=True)
class Checkout:
    """One payment by hand as it stands; `payment` None: nothing was asked of anybody."""

    key: str
    owner: CheckoutOwner
    lines: tuple[PayLine, ...]
    service_fee: Money
    method: PayMethod
    state: CheckoutState
    refusal: Refusal | None
    expires_at: datetime
    payment: PaymentState | None
    confirmation: str
    error: str
    advice: Advice | None
    taken_at: datetime | None
    consent: str = ""  # the text that a bank debit was agreed to by, as it was shown
    bank_page: str = field(default="", repr=False)  # where its customer answers their bank

    @property
    def amount(self) -> Money:
        return Money.total(one.amount for one in self.lines)

    @property
    def total(self) -> Money:
        return self.amount + self.service_fee

    @property
    def account_keys(self) -> list[str]:
        return sorted(one.account_key for one in self.lines if one.account_key)

    def end(self, now: datetime) -> CheckoutEnd:
        if self.payment is not None:
            is_open = CheckoutEnd.AWAITS if self.bank_page else CheckoutEnd.ON_ITS_WAY
            return _ENDS.get(self.payment, is_open)
        if self.state is CheckoutState.REFUSED:
            return CheckoutEnd.REFUSED
        return CheckoutEnd.OPEN if now < self.expires_at else CheckoutEnd.EXPIRED
