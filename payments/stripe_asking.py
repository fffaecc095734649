"""One request to Stripe, and its answer as a plain mapping or one of our failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import stripe

from domain.failures import OutcomeUnknown, PermanentFailure
from payments.stripe_failures import to_failure
from payments.stripe_results import Plain

NEEDED = {
    "payment_intent": ("id", "status", "amount"),
    "payment_method": ("id",),
    "refund": ("id", "status", "amount"),
}


class CardDeclined(PermanentFailure):
    """The bank's no to a draw, with Stripe's own error, which names the payment method."""

    def __init__(self, error: Plain) -> None:
        super().__init__("Stripe declined the request.")
        self.error = error


def ask_one(kind: str, ask: Callable[[], Any]) -> Plain:
    """Ask once; an answer that is not what was asked for leaves it open what happened."""
    try:
        answer = ask()
    except stripe.CardError as declined:
        body = declined.json_body
        if isinstance(body, dict) and isinstance(body.get("error"), dict):
            raise CardDeclined(body["error"]) from None
        raise to_failure(declined) from None
    except stripe.StripeError as error:
        raise to_failure(error) from None
    plain: Plain = answer.to_dict() if isinstance(answer, stripe.StripeObject) else {}
    if any(name not in plain for name in NEEDED[kind]) or plain.get("object") != kind:
        raise OutcomeUnknown(f"Stripe's answer is no {kind}.")
    return plain


def ask_all(ask: Callable[[], Any]) -> Iterator[Plain]:
    """Yield every entry of a list, page by page."""
    try:
        for entry in ask().auto_paging_iter():
            yield entry.to_dict()
    except stripe.StripeError as error:
        raise to_failure(error) from None
