"""Which payment intent of Stripe's is that of a draw, and who pays it."""

from __future__ import annotations

from collections.abc import Iterable

from domain.failures import PermanentFailure
from payments.gateway import DrawRequest, GatewayMisuse
from payments.stripe_client import StripeRequests
from payments.stripe_results import ACCOUNT, Plain, draw_key_of

_BEST_FIRST = ("succeeded", "processing", "requires_capture", "requires_action")


def to_payer(requests: StripeRequests, token: str) -> tuple[str, str]:
    """
    Return Stripe's customer and payment method of a token.

    Raises PermanentFailure where Stripe knows no such method, or it is nobody's.
    """
    customer, _, method = token.rpartition("/")
    if customer:
        return customer, method
    owner = requests.get_method(method).get("customer")
    if not owner:
        raise PermanentFailure("The payment method is no customer's at Stripe.")
    return str(owner), method


def require_same(intent: Plain, request: DrawRequest) -> None:
    """Raise GatewayMisuse where an intent is of another draw than the one that is asked for."""
    account = (intent.get("metadata") or {}).get(ACCOUNT)
    known = (draw_key_of(intent), account, intent["amount"])
    if known != (request.key, request.account, request.amount.cents):
        raise GatewayMisuse(
            f"The payment {intent['id']} is not that of the draw {request.key}; nothing was done."
        )


def best_of(intents: Iterable[Plain], key: str) -> Plain | None:
    """Return the intent under a draw's key that matters most: one that took money, or may."""
    ours = [intent for intent in intents if draw_key_of(intent) == key]
    return min(ours, key=_rank, default=None)


def _rank(intent: Plain) -> int:
    status = intent["status"]
    return _BEST_FIRST.index(status) if status in _BEST_FIRST else len(_BEST_FIRST)
