"""Stripe's page for adding a payment method: a Checkout Session that sets up and draws nothing."""

from __future__ import annotations

import re
from datetime import date, datetime

from domain.failures import PermanentFailure
from domain.payments import MethodKind
from payments.method_capture import CapturedMethod, CapturePage, CaptureRequest
from payments.stripe.client import StripeRequests, moving_nothing
from payments.stripe.events import read_signed
from payments.stripe.results import ACH, Plain, to_moment
from rules.calendars import last_of_month

COMPLETED = "checkout.session.completed"
LONGEST_NAME = 30
_BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "discover": "Discover",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


class StripeCapture:
    """
    Sends customers to a page of Stripe's, and asks Stripe itself what came of it.

    A card is taken, or a bank account whose owner proves it at once: one that would wait for
    small deposits could not be drawn from for days. A token is `cus_…/pm_…`.
    """

    def __init__(self, requests: StripeRequests, webhook_secret: str = "") -> None:
        self._stripe = requests
        self._webhook_secret = webhook_secret

    def begin(self, request: CaptureRequest) -> CapturePage:
        with moving_nothing():
            page = self._known_payers(request) or self._page(request, self._new_payer(request))
        url = str(page.get("url") or "")
        if not url.startswith("https://"):
            raise PermanentFailure("Stripe's page for payment methods has no address.")
        return CapturePage(url, str(page["id"]), str(page.get("customer") or ""))

    def finish(self, key: str, reference: str) -> CapturedMethod | None:
        with moving_nothing():
            page = self._stripe.get_setup_page(reference)
        if page.get("client_reference_id") != key or page["mode"] != "setup":
            raise PermanentFailure("The page at Stripe is of another visit; nothing was saved.")
        setup = page.get("setup_intent")
        if page["status"] != "complete" or not isinstance(setup, dict):
            return None
        method = setup.get("payment_method")
        if setup.get("status") != "succeeded" or not isinstance(method, dict):
            return None
        return to_captured(str(page.get("customer") or ""), method, setup.get("mandate"))

    def told_visit(self, body: bytes, signature: str) -> str:
        event = read_signed(body, signature, self._webhook_secret)
        page = event["data"]["object"]
        if event["type"] != COMPLETED or page.get("mode") != "setup":
            return ""
        return str(page.get("client_reference_id") or "")

    def _known_payers(self, request: CaptureRequest) -> Plain | None:
        """Return a page for whom Stripe knows from before; None: it knows nobody, or no more."""
        if not request.payer:
            return None
        try:
            return self._page(request, request.payer)
        except PermanentFailure:  # taken off at Stripe, or of another key: they are made anew
            return None

    def _new_payer(self, request: CaptureRequest) -> str:
        return str(self._stripe.create_customer(request.key, request.customer)["id"])

    def _page(self, request: CaptureRequest, payer: str) -> Plain:
        kinds = tuple("card" if kind is MethodKind.CARD else ACH for kind in request.kinds)
        return self._stripe.create_setup_page(request.key, payer, request.returns_to, kinds)


def to_captured(customer: str, method: Plain, mandate: object) -> CapturedMethod:
    """
    Take of Stripe's payment method what may be shown of it, and nothing else.

    Raises PermanentFailure for a kind that was not offered, or one whose last digits are missing.
    """
    kind = method.get("type")
    facts = method.get(str(kind)) or {}
    last4 = str(facts.get("last4") or "")
    if not customer or kind not in ("card", ACH) or not re.fullmatch("[0-9]{4}", last4):
        raise PermanentFailure("Stripe's payment method is of no kind that can be drawn from.")
    token = f"{customer}/{method['id']}"
    if kind == "card":
        brand = _BRANDS.get(str(facts.get("brand")), "")
        return CapturedMethod(token, MethodKind.CARD, last4, brand, _last_day(facts))
    number, agreed_at = _agreement(mandate)
    bank = _name_of_bank(str(facts.get("bank_name") or ""))
    return CapturedMethod(token, MethodKind.ACH, last4, bank, mandate=number, agreed_at=agreed_at)


def _last_day(card: Plain) -> date | None:
    year, month = card.get("exp_year"), card.get("exp_month")
    if not isinstance(year, int) or not isinstance(month, int):
        return None
    return last_of_month(year, month)


def _name_of_bank(told: str) -> str:
    """Return a bank's name, without what could be a number of somebody's."""
    return " ".join(re.sub("[0-9]{4,}", " ", told).split())[:LONGEST_NAME].strip()


def _agreement(mandate: object) -> tuple[str, datetime | None]:
    """Return the number of a mandate at Stripe, and when the customer agreed to it."""
    if not isinstance(mandate, dict):
        return (mandate, None) if isinstance(mandate, str) else ("", None)
    seconds = (mandate.get("customer_acceptance") or {}).get("accepted_at")
    return str(mandate["id"]), to_moment(seconds) if isinstance(seconds, int) else None
