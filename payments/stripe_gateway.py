"""Payments through Stripe: an intent is made, its number is kept, and then it is confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import Money
from payments.gateway import (
    Answer,
    DrawRequest,
    DrawResult,
    GatewayMisuse,
    LateEvent,
    Refunded,
    Settlement,
)
from payments.stripe_asking import CardDeclined
from payments.stripe_client import StripeRequests
from payments.stripe_failures import moving_nothing, telling_nothing
from payments.stripe_finding import best_of, require_same, to_payer
from payments.stripe_reading import read_events, read_settlements, read_webhook
from payments.stripe_refunding import refund
from payments.stripe_results import (
    ABANDONED,
    Plain,
    declined,
    draw_key_of,
    needs_customer,
    to_result,
)

KEY_WINDOW = timedelta(hours=24)  # Stripe keeps a key for that long at least


class StripeGateway:
    """
    Draws through Stripe, in two steps and never without a key.

    A token is `pm_…`, or `cus_…/pm_…` where the customer is known: that saves a question. Card
    draws are captured at once, so that `void` takes back only what was not confirmed.

    A prepare that was not answered has moved no money and is a TemporaryFailure; a lookup that
    was not answered is OutcomeUnknown, as the draw is.
    """

    name = "stripe"
    key_window = KEY_WINDOW

    def __init__(self, requests: StripeRequests, webhook_secret: str = "") -> None:
        self._stripe = requests
        self._webhook_secret = webhook_secret
        self._prepared: dict[str, DrawRequest] = {}  # spares a question before the draw

    def prepare(self, request: DrawRequest) -> str:
        if request.amount.cents <= 0:
            raise GatewayMisuse(f"A draw of {request.amount} was asked for; nothing was done.")
        with moving_nothing():
            customer, method = to_payer(self._stripe, request.method_token)
            intent = self._stripe.create_intent(request, customer, method)
        reference = str(intent["id"])
        self._prepared[reference] = request
        return reference

    def confirm(self, reference: str, request: DrawRequest) -> DrawResult:
        if self._prepared.pop(reference, None) != request:
            with moving_nothing():
                known = self._stripe.get_intent(reference)
            require_same(known, request)
            if known["status"] != "requires_confirmation":
                return self._decided(known)
        try:
            return self._decided(self._stripe.confirm_intent(reference, request.key))
        except CardDeclined as said:
            return declined(reference, request.amount, said.error)
        except PermanentFailure:
            return self._as_it_stands(reference)

    def lookup(self, request: DrawRequest, reference: str | None) -> DrawResult:
        with telling_nothing():
            customer = None
            if reference is not None:
                intent = self._stripe.get_intent(reference)
                require_same(intent, request)
                if intent["status"] in ("succeeded", "processing"):
                    return self._decided(intent)
                customer = intent.get("customer")
            customer = customer or to_payer(self._stripe, request.method_token)[0]
            found = best_of(self._stripe.list_intents(customer), request.key)
            return self._decided(found) if found else DrawResult(Answer.NOT_FOUND)

    def refund(self, reference: str, amount: Money, key: str) -> Refunded:
        return refund(self._stripe, reference, amount, key)

    def void(self, reference: str, key: str) -> bool:
        try:
            intent = self._stripe.cancel_intent(reference, "requested_by_customer", key)
        except PermanentFailure:  # too late, or no such payment: that is to be seen
            with moving_nothing():
                intent = self._stripe.get_intent(reference)
        return bool(intent["status"] == "canceled")

    def settlements(self, since: date) -> Iterator[Settlement]:
        return read_settlements(self._stripe, since)

    def late_events(self, since: datetime) -> Iterator[LateEvent]:
        return read_events(self._stripe, since)

    def read_webhook(self, body: bytes, signature: str) -> LateEvent | None:
        """
        Return the late event that a webhook brings, None for what is none of ours.

        Raises Refused where Stripe has not signed it with the secret of the settings.
        """
        return read_webhook(self._stripe, body, signature, self._webhook_secret)

    def close(self) -> None:
        self._stripe.close()

    def _decided(self, intent: Plain) -> DrawResult:
        """
        Say what became of a draw; one that waits for the customer is taken off first.

        Nobody is there to answer the bank, and a draw that is confirmed some day after it was
        given up would come as a surprise.
        """
        if not needs_customer(intent):
            return to_result(intent)
        try:
            key = f"{draw_key_of(intent)}/given-up"
            return to_result(self._stripe.cancel_intent(intent["id"], ABANDONED, key))
        except (PermanentFailure, TemporaryFailure) as failure:
            raise OutcomeUnknown(str(failure)) from None

    def _as_it_stands(self, reference: str) -> DrawResult:
        """Look at a draw that Stripe would not confirm: it may have been decided before."""
        with telling_nothing():
            intent = self._stripe.get_intent(reference)
        if intent["status"] == "requires_confirmation":
            raise PermanentFailure(f"Stripe does not confirm the payment {reference}.")
        return self._decided(intent)
