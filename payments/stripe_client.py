"""The requests that we make to Stripe: each exactly once, each answer as a plain mapping."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import stripe

from domain.money import Money
from domain.payments import MethodKind
from payments.gateway import DrawRequest
from payments.stripe_asking import ask_all, ask_one
from payments.stripe_events import KINDS
from payments.stripe_results import ACCOUNT, ACH, DRAW_KEY, REFUND_KEY, Plain, start_of

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 30.0
PAGE = 100  # entries that Stripe lists at a time, at most
WITH_CHARGE = "latest_charge"


class StripeRequests:
    """
    Stripe's API as far as the office needs it.

    The SDK's own retries are off: whether something may be asked again is not for it to say.
    Raises the failures of payments/stripe_failures.py, without a cause that would name tokens.
    """

    def __init__(self, api_key: str, url: str = "", answer_seconds: float = ANSWER_SECONDS) -> None:
        for name in ("stripe", "urllib3.connectionpool"):  # below that, they log tokens
            logging.getLogger(name).setLevel(logging.WARNING)
        self._http = stripe.RequestsClient(timeout=(CONNECT_SECONDS, answer_seconds))
        self._api = stripe.StripeClient(
            api_key,
            base_addresses={"api": url} if url else {},
            max_network_retries=0,
            http_client=self._http,
        ).v1

    def create_intent(self, request: DrawRequest, customer: str, method: str) -> Plain:
        kind = ACH if request.method_kind is MethodKind.ACH else "card"
        return ask_one(
            "payment_intent",
            lambda: self._api.payment_intents.create(
                {
                    "amount": request.amount.cents,
                    "currency": "usd",
                    "customer": customer,
                    "payment_method": method,
                    "allowed_payment_method_types": [kind],
                    "metadata": {DRAW_KEY: request.key, ACCOUNT: request.account},
                },
                {"idempotency_key": f"{request.key}/prepare"},
            ),
        )

    def confirm_intent(self, reference: str, key: str) -> Plain:
        """Draw; raises CardDeclined where the bank says no."""
        return ask_one(
            "payment_intent",
            lambda: self._api.payment_intents.confirm(
                reference,
                {"off_session": True, "expand": [WITH_CHARGE]},
                {"idempotency_key": f"{key}/confirm"},
            ),
        )

    def cancel_intent(self, reference: str, reason: Any, key: str) -> Plain:
        return ask_one(
            "payment_intent",
            lambda: self._api.payment_intents.cancel(
                reference, {"cancellation_reason": reason}, {"idempotency_key": f"{key}/cancel"}
            ),
        )

    def get_intent(self, reference: str) -> Plain:
        return ask_one(
            "payment_intent",
            lambda: self._api.payment_intents.retrieve(reference, {"expand": [WITH_CHARGE]}),
        )

    def list_intents(self, customer: str) -> Iterator[Plain]:
        """Yield what was ever drawn from a customer, newest first."""
        return ask_all(
            lambda: self._api.payment_intents.list(
                {"customer": customer, "limit": PAGE, "expand": [f"data.{WITH_CHARGE}"]}
            )
        )

    def get_method(self, method: str) -> Plain:
        return ask_one("payment_method", lambda: self._api.payment_methods.retrieve(method))

    def create_refund(self, reference: str, amount: Money, key: str) -> Plain:
        return ask_one(
            "refund",
            lambda: self._api.refunds.create(
                {
                    "payment_intent": reference,
                    "amount": amount.cents,
                    "metadata": {REFUND_KEY: key},
                },
                {"idempotency_key": f"{key}/refund"},
            ),
        )

    def list_refunds(self, reference: str) -> Iterator[Plain]:
        return ask_all(lambda: self._api.refunds.list({"payment_intent": reference, "limit": PAGE}))

    def list_events(self, since: datetime) -> Iterator[Plain]:
        """Yield what happened from a moment on, newest first; Stripe keeps it for 30 days."""
        return ask_all(
            lambda: self._api.events.list(
                {"types": list(KINDS), "created": {"gte": int(since.timestamp())}, "limit": PAGE}
            )
        )

    def list_payouts(self, since: date) -> Iterator[Plain]:
        """Yield what was paid out from a day on, newest first."""
        return ask_all(
            lambda: self._api.payouts.list(
                {"arrival_date": {"gte": start_of(since)}, "status": "paid", "limit": PAGE}
            )
        )

    def list_lines(self, payout: str) -> Iterator[Plain]:
        return ask_all(
            lambda: self._api.balance_transactions.list(
                {"payout": payout, "limit": PAGE, "expand": ["data.source"]}
            )
        )

    def close(self) -> None:
        self._http.close()  # type: ignore[no-untyped-call]
