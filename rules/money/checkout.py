"""What a customer may pay by hand, with what, and what the way of paying costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from domain.checkout import NotTaken, PayableAccount, PayMethod
from domain.money import ZERO, Money
from domain.payments import MethodKind

MOST_PERCENT = 20


@dataclass(frozen=True, slots=True)
class ServiceFee:
    """What paying one way costs (rule 194): `thousandths` of a percent, and a fixed amount."""

    thousandths: int = 0
    fixed: Money = ZERO

    def of(self, amount: Money) -> Money:
        """Return the fee of an amount, half a cent rounded up."""
        share = (amount.cents * self.thousandths + 50_000) // 100_000
        return Money(share) + self.fixed


@dataclass(frozen=True, slots=True)
class CheckoutPolicy:
    """What the office lets customers pay by hand."""

    fees: Mapping[MethodKind, ServiceFee] = field(default_factory=dict)
    pays_ahead: bool = False  # more than is owed, which stays as a credit

    def fee_of(self, kind: MethodKind, amount: Money) -> Money:
        fee = self.fees.get(kind)
        return ZERO if fee is None else fee.of(amount)


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
    is_whole = found.is_finite() and thousandths == thousandths.to_integral_value()
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


def offered_methods(facts: PayableAccount) -> list[PayMethod]:
    """Return the customer's own methods that the account may be paid with (rule 136)."""
    return [one for one in facts.wallet if _refused_method(facts, one.token) is None]


def refuse_checkout(
    facts: PayableAccount, token: str, amount: Money, policy: CheckoutPolicy
) -> NotTaken | None:
    """
    Return why a payment by hand is not accepted; None: it is.

    Asked when the check page is made, and again under the lock when the customer says yes. More
    than is owed may be paid where the office allows it, but not while another payment is on its
    way: then nobody knows what is owed.
    """
    if reason := _refused_method(facts, token):
        return reason
    payable = payable_now(facts)
    if amount <= payable or (policy.pays_ahead and not facts.on_its_way):
        return None
    return NotTaken.OVER_PAYABLE if payable > ZERO else NotTaken.NOTHING_PAYABLE


def _refused_method(facts: PayableAccount, token: str) -> NotTaken | None:
    method = facts.method(token)
    if method is None:
        return NotTaken.METHOD_GONE
    if facts.is_blocked(method.kind):
        return NotTaken.METHOD_BLOCKED
    return NotTaken.METHOD_SUSPENDED if token in facts.suspended else None
