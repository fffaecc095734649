"""One desk for every page on which payment methods are given: the same moves at each."""

from __future__ import annotations

import json
from typing import Protocol

from domain.payments import MethodKind
from payments.method_capture import CapturePage, CaptureRequest, MethodCapture
from payments.port import PaymentGateway
from payments.sandbox.gateway import SandboxGateway
from payments.sandbox.method_capture import SandboxCapture
from payments.stripe.client import StripeRequests
from payments.stripe.method_capture import StripeCapture
from tests.contracts.gateway_desks import START
from tests.contracts.stripe_desk import API_KEY, WEBHOOK_SECRET, StripeDesk

BACK = "https://pay.larkspur.example/wallet/added/"


class CaptureDesk(Protocol):
    """A page, what a customer does on it, and the gateway that draws from what was given."""

    capture: MethodCapture
    gateway: PaymentGateway
    good: str  # what `a_draw` draws from by itself: here nothing

    def give(self, page: CapturePage, kind: MethodKind) -> None:
        """Give a good card, or a bank account, on the page."""

    def offered(self, page: CapturePage) -> tuple[MethodKind, ...]:
        """Return the kinds that the page lets somebody give."""


def a_visit(key: str = "key-1", customer: str = "customer 17", payer: str = "") -> CaptureRequest:
    return CaptureRequest(key, customer, f"{BACK}{key}", payer)


class SandboxCaptureDesk:
    good = ""

    def __init__(self, place) -> None:
        self.capture = SandboxCapture(place / "methods.db", lambda: START)
        self.gateway = SandboxGateway(place / "gateway.db", lambda: START)

    def give(self, page: CapturePage, kind: MethodKind) -> None:
        token = "tok_ok" if kind is MethodKind.CARD else "tok_ach_ok"
        self.capture.choose(page.reference, token)

    def offered(self, page: CapturePage) -> tuple[MethodKind, ...]:
        kinds = {one.kind for one in self.capture.offered(page.reference)}
        return tuple(kind for kind in MethodKind if kind in kinds)

    def close(self) -> None:
        self.gateway.close()


class StripeCaptureDesk:
    good = ""

    def __init__(self, stripe: StripeDesk) -> None:
        self.stripe, self.gateway = stripe, stripe.gateway
        requests = StripeRequests(API_KEY, stripe.server.url, answer_seconds=20)
        self.capture = StripeCapture(requests, WEBHOOK_SECRET)
        self._requests = requests

    def give(self, page: CapturePage, kind: MethodKind) -> None:
        self.stripe.front.missing.pages.fill_in(
            page.reference, "card" if kind is MethodKind.CARD else "us_bank_account"
        )

    def offered(self, page: CapturePage) -> tuple[MethodKind, ...]:
        asked = self.stripe.front.missing.pages.asked[page.reference]
        named = [value for key, value in asked.items() if key.startswith("allowed_payment_method")]
        return tuple(MethodKind.CARD if one == "card" else MethodKind.ACH for one in named)

    def page(self, reference: str) -> dict:
        """What Stripe holds of a page."""
        return self.stripe.front.missing.pages.held[reference]

    def told(self, reference: str) -> tuple[bytes, str]:
        """The event by which Stripe tells that a page was filled in, and its signature."""
        event = {
            "id": "evt_page", "object": "event", "type": "checkout.session.completed",
            "created": int(START.timestamp()), "data": {"object": self.page(reference)},
        }  # fmt: skip
        return signed(event)

    def close(self) -> None:
        self._requests.close()


def signed(event: dict) -> tuple[bytes, str]:
    import time

    import stripe

    body, seconds = json.dumps(event).encode(), int(time.time())
    digest = stripe.WebhookSignature._compute_signature(
        f"{seconds}.{body.decode()}", WEBHOOK_SECRET
    )
    return body, f"t={seconds},v1={digest}"
