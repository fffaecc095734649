"""Stripe's own pages for payment methods, of which localstripe has none: sessions that set up."""

from __future__ import annotations

import json
from typing import Any

import httpx

Json = dict[str, Any]
PATH = "/v1/checkout/sessions"
BANK = {
    "object": "payment_method",
    "type": "us_bank_account",
    "us_bank_account": {
        "bank_name": "STRIPE TEST BANK 110000000",
        "last4": "6789",
        "routing_number": "110000000",
        "account_type": "checking",
        "fingerprint": "FFDMA0xfhBjWSZLu",
    },
}
AGREED = 1_793_800_800


class SetupPages:
    """Checkout Sessions in the mode `setup`: made, filled in by a test, asked for."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.held: dict[str, Json] = {}
        self.asked: dict[str, dict[str, str]] = {}  # with what each was made
        self._headers: dict[str, str] = {}

    def answer(
        self, method: str, path: str, asked: dict[str, str], headers: dict[str, str]
    ) -> tuple[int, bytes]:
        self._headers = headers
        if method == "POST" and path == PATH:
            return self._make(asked)
        page = self.held.get(path.removeprefix(f"{PATH}/"))
        return _not_there() if page is None else (200, json.dumps(page).encode())

    def fill_in(self, number: str, kind: str) -> None:
        """Do what a customer does on the page, and what Stripe does with it."""
        page = self.held[number]
        page["status"] = "complete"
        page["setup_intent"] = {
            "id": f"seti_{number}",
            "object": "setup_intent",
            "status": "succeeded",
            "payment_method": self._a_card(page) if kind == "card" else {**BANK, "id": "pm_bank_1"},
            "mandate": None if kind == "card" else _a_mandate(),
        }

    def _make(self, asked: dict[str, str]) -> tuple[int, bytes]:
        customer = asked["customer"]
        known = self._client.get(f"/v1/customers/{customer}", headers=self._headers)
        if known.is_error:
            return _not_there()
        number = f"cs_test_{len(self.held) + 1}"
        self.asked[number] = asked
        self.held[number] = {
            "id": number,
            "object": "checkout.session",
            "status": "open",
            "mode": asked["mode"],
            "customer": customer,
            "client_reference_id": asked["client_reference_id"],
            "url": f"https://checkout.stripe.example/c/pay/{number}",
            "setup_intent": f"seti_{number}",
        }
        return 200, json.dumps(self.held[number]).encode()

    def _a_card(self, page: Json) -> Json:
        path = "/v1/payment_methods/pm_card_visa"
        made = self._client.get(path, headers=self._headers).json()["id"]
        attached = self._client.post(
            f"/v1/payment_methods/{made}/attach",
            data={"customer": page["customer"]},
            headers=self._headers,
        )
        card: Json = attached.json()
        return card


def _a_mandate() -> Json:
    return {
        "id": "mandate_1",
        "object": "mandate",
        "status": "active",
        "customer_acceptance": {
            "accepted_at": AGREED,
            "type": "online",
            "online": {"ip_address": "203.0.113.9", "user_agent": "a browser"},
        },
    }


def _not_there() -> tuple[int, bytes]:
    error = {"type": "invalid_request_error", "code": "resource_missing", "message": "No such"}
    return 404, json.dumps({"error": error}).encode()
