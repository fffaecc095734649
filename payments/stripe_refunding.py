"""Refunds at Stripe: counted by us first, and given once a key."""

from __future__ import annotations

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import Money
from payments.gateway import GatewayMisuse, Refunded
from payments.stripe_client import StripeRequests
from payments.stripe_results import REFUND_KEY, Plain

GIVEN = ("succeeded", "pending", "requires_action")


def refund(requests: StripeRequests, reference: str, amount: Money, key: str) -> Refunded:
    """
    Give back a draw or a part of it.

    What was given before is counted here and not left to the other side alone. Raises
    PermanentFailure where less than that is left, and GatewayMisuse for another amount under a
    used key.
    """
    try:
        left, earlier = _what_is_left(requests, reference, key)
    except OutcomeUnknown as failure:  # only questions were asked until here
        raise TemporaryFailure(str(failure)) from None
    if earlier is not None:
        return _the_same(earlier, amount, key)
    if not 0 < amount.cents <= left:
        raise PermanentFailure(f"Of this payment {Money(left)} can be refunded, not {amount}.")
    given = requests.create_refund(reference, amount, key)
    if given["status"] not in GIVEN:
        raise PermanentFailure(f"Stripe could not refund the payment {reference}.")
    return Refunded(str(given["id"]), amount)


def _what_is_left(requests: StripeRequests, reference: str, key: str) -> tuple[int, Plain | None]:
    """Return the cents that can be given back, and the refund that the key was used for."""
    intent = requests.get_intent(reference)
    if intent["status"] != "succeeded":
        return 0, None
    refunds = [each for each in requests.list_refunds(reference) if each["status"] in GIVEN]
    earlier = (each for each in refunds if (each.get("metadata") or {}).get(REFUND_KEY) == key)
    return intent["amount"] - sum(each["amount"] for each in refunds), next(earlier, None)


def _the_same(earlier: Plain, amount: Money, key: str) -> Refunded:
    if earlier["amount"] != amount.cents:
        raise GatewayMisuse(f"The key {key} was used for another refund; nothing was done.")
    return Refunded(str(earlier["id"]), amount)
