"""What Stripe tells days after a draw: payouts, events and webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache

import stripe

from domain.failures import Refused
from payments.gateway import LateEvent, Settlement
from payments.stripe_client import StripeRequests
from payments.stripe_events import to_late_event
from payments.stripe_failures import moving_nothing
from payments.stripe_settlements import is_itemized, to_settlement

REMEMBERED = 10_000  # intents, while payouts are read


def read_settlements(requests: StripeRequests, since: date) -> Iterator[Settlement]:
    """Yield payouts from a day on, oldest first; one that is not itemized yet comes later."""
    with moving_nothing():
        get_intent = lru_cache(maxsize=REMEMBERED)(requests.get_intent)
        for payout in reversed(list(requests.list_payouts(since))):
            if is_itemized(payout):
                yield to_settlement(payout, requests.list_lines(payout["id"]), get_intent)


def read_events(requests: StripeRequests, since: datetime) -> Iterator[LateEvent]:
    """Yield late events from a moment on, oldest first."""
    with moving_nothing():
        for event in reversed(list(requests.list_events(since))):
            told = to_late_event(event, requests.get_intent)
            if told is not None:
                yield told


def read_webhook(
    requests: StripeRequests, body: bytes, signature: str, secret: str
) -> LateEvent | None:
    """
    Return the late event that a webhook brings, None for what is none of ours.

    Raises Refused where Stripe has not signed it with the secret, or there is no secret.
    """
    try:
        if not secret:
            raise ValueError("anybody can sign with an empty secret")
        event = stripe.Webhook.construct_event(body, signature, secret)
    except (stripe.SignatureVerificationError, ValueError):
        raise Refused(
            "webhook-signature", "The webhook is not signed by Stripe; it was not taken in."
        ) from None
    with moving_nothing():
        return to_late_event(event.to_dict(), requests.get_intent)
