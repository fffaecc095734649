"""What a customer may pay by hand, with what, and what the way of paying costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from domain.checkout import (
    NotTaken,
    PayableAccount,
    PayLine,
    PayMethod,
    PayWallet,
    Refusal,
)
from domain.money import ZERO, Money
from domain.payments import MethodKind

MOST_PERCENT = 20
MOST = Money(999_999_99)  # Stripe draws no more at once


class FeeKind(StrEnum):
    """What kinds of payments have service fees of their own (rule 194)."""

    BILL = "bill"
    OTHER = "other"  # what is paid for something else than a bill


class NumberKind(StrEnum):
    """What number belongs to something else that is paid (rule 192)."""

    NONE = "none"  # not interfaced: the payor's name is asked for
    CUSTOMER = "customer"  # an account of ours
    PERMIT = "permit"  # of another system


@dataclass(frozen=True, slots=True)
class OtherPayment:
    """What can be paid in the portal besides bills (rules 191-193); `amount` None: as typed."""

    code: str
    name: str
    category: str
    number: NumberKind
    amount: Money | None
    requires_comment: bool
    for_guests: bool


@dataclass(frozen=True, slots=True)
class ServiceFee:
    """What paying one way costs (rule 194): `thousandths` of a percent, and a fixed amount."""

    thousandths: int = 0
    fixed: Money = ZERO
    above: Money = ZERO  # it holds for amounts above this one, until the next step of the table

    def of(self, amount: Money) -> Money:
        """Return the fee of an amount, half a cent rounded up."""
        share = (amount.cents * self.thousandths + 50_000) // 100_000
        return Money(share) + self.fixed


FeeTable = Mapping[tuple[FeeKind, MethodKind], tuple[ServiceFee, ...]]


@dataclass(frozen=True, slots=True)
class CheckoutPolicy:
    """
    What the office lets customers pay by hand.

    `fees` are tables of steps, by kind of payment and method. `offered` are the codes of what else
    can be paid, each with whether guests may; `prices` what those cost whose amount is not the
    payer's word. `most` is what one payment may be, its fee included.
    """

    fees: FeeTable = field(default_factory=dict)
    pays_ahead: bool = False  # more than is owed, which stays as a credit
    has_cart: bool = False  # several things in one payment (rule 195)
    offered: Mapping[str, bool] = field(default_factory=dict)
    prices: Mapping[str, Money] = field(default_factory=dict)
    most: Money = MOST

    def fee_of(self, method: MethodKind, lines: Iterable[PayLine]) -> Money:
        """
        Return the service fee of a payment: of its bills together, and of the rest together.

        Of a table of steps the last one holds whose `above` the amount exceeds.
        """
        sums = dict.fromkeys(FeeKind, ZERO)
        for line in lines:
            sums[FeeKind.BILL if line.is_of_account else FeeKind.OTHER] += line.amount
        return Money.total(self._fee(kind, method, amount) for kind, amount in sums.items())

    def _fee(self, kind: FeeKind, method: MethodKind, amount: Money) -> Money:
        steps = [one for one in self.fees.get((kind, method), ()) if one.above < amount]
        return max(steps, key=lambda one: one.above).of(amount) if steps else ZERO


def parse_percent(text: str) -> int:
    """
    Read a percentage as a setting writes it, `2.95`, in thousandths of a percent.

    Raises ValueError for what is none, has a fourth decimal, is below 0 or above 20.
    """
    try:
        found = Decimal(text.strip())
        thousandths = found * 1000
    except InvalidOperation:
        raise ValueError("write a percentage as 2.95") from None
    is_whole = thousandths == thousandths.to_integral_value()  # what is no number is not, either
    if not is_whole or not 0 <= found <= MOST_PERCENT:
        raise ValueError(f"write a percentage from 0 to {MOST_PERCENT}, as 2.95")
    return int(thousandths)


def parse_payment(text: str) -> Money:
    """
    Read an amount as a customer types it: `45.50`, `$45`, `1,027.35`.

    Raises ValueError for anything else: `45,50` may be 45.50 or 4,550, so it is asked again. So
    is what is not above zero.
    """
    amount = Money.parse(text)
    if amount <= ZERO:
        raise ValueError("not an amount above zero")
    return amount


def payable_now(facts: PayableAccount) -> Money:
    """What can be paid now: what is owed less what is on its way, never below zero."""
    return max(facts.owed - facts.on_its_way, ZERO)


def offered_methods(accounts: Iterable[PayableAccount], wallet: PayWallet) -> list[PayMethod]:
    """Return the payer's own methods that all of these accounts may be paid with (rule 136)."""
    some = tuple(accounts)
    return [one for one in wallet.methods if _refuse_method(one.token, some, wallet) is None]


def payable_kinds(accounts: Iterable[PayableAccount]) -> tuple[MethodKind, ...]:
    """Return the kinds of payment that none of these accounts blocks (rule 136)."""
    some = tuple(accounts)
    return tuple(kind for kind in MethodKind if not any(one.is_blocked(kind) for one in some))


def refuse_checkout(
    lines: Sequence[PayLine],
    accounts: Mapping[str, PayableAccount],
    wallet: PayWallet,
    token: str,
    policy: CheckoutPolicy,
    *,
    is_guest: bool = False,
) -> Refusal | None:
    """
    Return why a payment by hand is not accepted; None: it is.

    Asked when the check page is made, and again under the lock when the customer says yes.
    `accounts` are the payer's own, by key. A payment of several lines is taken whole or not at
    all, and has an account once: each line is measured against all that can be paid on it. More
    than is owed may be paid where the office allows it, but not while another payment is
    on its way: then nobody knows what is owed.
    """
    if not lines or (len(lines) > 1 and not policy.has_cart):
        return Refusal(NotTaken.CART_OFF)
    seen: set[str] = set()
    for line in lines:
        if not line.is_of_account:
            reason = _refuse_other(line, policy, is_guest=is_guest)
        elif line.account_key in seen:
            reason = NotTaken.OVER_PAYABLE
        else:
            reason = _refuse_amount(accounts.get(line.account_key), line.amount, policy)
        seen.add(line.account_key)
        if reason is not None:
            return Refusal(reason, line.account or line.title)
    refusal = _refuse_method(token, tuple(accounts.values()), wallet)
    return refusal or _refuse_total(lines, wallet.method(token), policy)


def _refuse_amount(
    facts: PayableAccount | None, amount: Money, policy: CheckoutPolicy
) -> NotTaken | None:
    if facts is None:
        return NotTaken.ACCOUNT_GONE
    payable = payable_now(facts)
    if amount <= payable or (policy.pays_ahead and not facts.on_its_way):
        return None
    return NotTaken.OVER_PAYABLE if payable > ZERO else NotTaken.NOTHING_PAYABLE


def _refuse_other(line: PayLine, policy: CheckoutPolicy, *, is_guest: bool) -> NotTaken | None:
    """Both boxes must stand (rules 197, 198), and guests need a third; a price is the office's."""
    for_guests = policy.offered.get(line.distribution)
    if for_guests is None or (is_guest and not for_guests):
        return NotTaken.NOT_OFFERED
    price = policy.prices.get(line.distribution, line.amount)
    return None if line.amount == price else NotTaken.PRICE_CHANGED


def _refuse_total(
    lines: Sequence[PayLine], method: PayMethod | None, policy: CheckoutPolicy
) -> Refusal | None:
    """A finger that slips on a key asks for a hundred times as much; no gateway draws that."""
    total = Money.total(line.amount for line in lines)
    if method is not None:
        total += policy.fee_of(method.kind, lines)
    return Refusal(NotTaken.OVER_MOST) if total > policy.most else None


def _refuse_method(
    token: str, accounts: Sequence[PayableAccount], wallet: PayWallet
) -> Refusal | None:
    method = wallet.method(token)
    if method is None:
        return Refusal(NotTaken.METHOD_GONE)
    for one in accounts:
        if one.is_blocked(method.kind):
            return Refusal(NotTaken.METHOD_BLOCKED, one.account)
    return Refusal(NotTaken.METHOD_SUSPENDED) if token in wallet.suspended else None
