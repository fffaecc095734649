"""The Stripe adapter at its desk: the official SDK, a front with faults, and localstripe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property

import httpx

from domain.payments import Advice
from payments.port import LateEvent, Settlement
from payments.stripe.client import StripeRequests
from payments.stripe.gateway import StripeGateway
from tests.contracts.gateway_desks import LONG_AGO
from tests.payments.stripe_front import FrontServer

NEEDS_CUSTOMER = "4000002500003155"  # Stripe's test card that wants its holder
API_KEY = "sk_test_0123456789"
WEBHOOK_SECRET = "whsec_0123456789"


class StripeDesk:
    decline = ("card_declined", Advice.ONCE_MORE)  # localstripe has no other word
    unknown_reference, unknown_token = "pi_unknown", "pm_unknown5529"

    def __init__(self, upstream: str) -> None:
        self.server = FrontServer(upstream)
        self.front = self.server.front
        self.api = httpx.Client(
            base_url=upstream, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=20
        )
        self.api.delete("/_config/data")
        self.customer = self._post("/v1/customers", name="Test")["id"]
        self.good = self.a_method("pm_card_visa")
        self.poor = self.a_method("pm_card_chargeCustomerFail")
        self.clawed_back = self.a_method("pm_card_visa")
        self.gateway = StripeGateway(
            StripeRequests(API_KEY, self.server.url, answer_seconds=20), WEBHOOK_SECRET
        )

    def a_method(self, kind: str) -> str:
        """Save one of Stripe's test methods for the customer."""
        method = self.api.get(f"/v1/payment_methods/{kind}").json()["id"]
        return str(self.attach(method))

    @cached_property
    def wanting(self) -> str:
        """A card whose bank wants its holder, by Stripe's own test number."""
        card = {"number": NEEDS_CUSTOMER, "exp_month": "12", "exp_year": "2040", "cvc": "123"}
        fields = {f"card[{name}]": value for name, value in card.items()}
        return self.attach(self._post("/v1/payment_methods", type="card", **fields)["id"])

    def answer_bank(self, page: str, *, yes: bool) -> None:
        path = f"/v1/payment_intents/{page.rpartition('/')[2]}"
        secret = self.api.get(path).json()["client_secret"]
        success = "true" if yes else "false"
        self._post(f"{path}/_authenticate", client_secret=secret, success=success)

    def attach(self, method: str) -> str:
        return str(self._post(f"/v1/payment_methods/{method}/attach", customer=self.customer)["id"])

    def lose(self, call: str, *faults: str) -> None:
        self.front.faults[call] = list(faults)

    def taken(self) -> int:
        lines = self.api.get("/v1/balance_transactions", params={"limit": 1000}).json()["data"]
        return sum(line["amount"] for line in lines)

    def days_later(self) -> None:
        self.front.missing.everything_happens({self.clawed_back})

    def events(self) -> Sequence[LateEvent]:
        return list(self.gateway.late_events(datetime(2020, 1, 1, tzinfo=UTC)))

    def paid_out(self) -> Sequence[Settlement]:
        return list(self.gateway.settlements(LONG_AGO))

    def close(self) -> None:
        self.gateway.close()
        self.server.close()
        self.api.close()

    def _post(self, path: str, **fields: str) -> dict[str, str]:
        reply = self.api.post(path, data=fields)
        reply.raise_for_status()
        answer: dict[str, str] = reply.json()
        return answer
