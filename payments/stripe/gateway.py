"""Payments through Stripe: an intent is made, its number is kept, and then it is confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import Money
from payments.port import (
    DrawAnswer,
    DrawRequest,
    DrawResult,
    GatewayMisuse,
    LateEvent,
    Refunded,
    Settlement,
)
from payments.stripe.client import CardDeclined, StripeRequests, moving_nothing, telling_nothing
from payments.stripe.events import read_signed, to_late_event
from payments.stripe.results import (
    ABANDONED,
    ACCOUNT,
    REFUND_KEY,
    Plain,
    bank_page_of,
    declined,
    draw_key_of,
    is_itemized,
    needs_customer,
    to_result,
    to_settlement,
)

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
    event = read_signed(body, signature, secret)
    with moving_nothing():
        return to_late_event(event, requests.get_intent)


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


KEY_WINDOW = timedelta(hours=24)  # Stripe keeps a key for that long at least


class StripeGateway:
    """
    Draws through Stripe, in two steps and never without a key.

    A token is `pm_…`, or `cus_…/pm_…` where the customer is known: that saves a question. Card
    draws are captured at once.

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
                return self._decided(known, request)
        try:
            return self._decided(self._stripe.confirm_intent(reference, request), request)
        except CardDeclined as said:
            return declined(reference, request.amount, said.error)
        except PermanentFailure:
            return self._as_it_stands(reference, request)

    def lookup(self, request: DrawRequest, reference: str | None) -> DrawResult:
        with telling_nothing():
            customer = None
            if reference is not None:
                intent = self._stripe.get_intent(reference)
                require_same(intent, request)
                if intent["status"] in ("succeeded", "processing"):
                    return self._decided(intent, request)
                customer = intent.get("customer")
            customer = customer or to_payer(self._stripe, request.method_token)[0]
            found = best_of(self._stripe.list_intents(customer), request.key)
            return self._decided(found, request) if found else DrawResult(DrawAnswer.NOT_FOUND)

    def refund(self, reference: str, amount: Money, key: str) -> Refunded:
        return refund(self._stripe, reference, amount, key)

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

    def _decided(self, intent: Plain, request: DrawRequest) -> DrawResult:
        """
        Say what became of a draw; one that waits for a customer who is not there is taken off.

        Nobody answers the bank then, and a draw that is confirmed some day after it was given up
        would come as a surprise.
        """
        if not needs_customer(intent):
            return to_result(intent)
        page = bank_page_of(intent) if request.returns_to else ""
        if page:
            amount = Money(intent["amount"])
            return DrawResult(DrawAnswer.AWAITS, intent["id"], amount, bank_page=page)
        try:
            key = f"{draw_key_of(intent)}/given-up"
            return to_result(self._stripe.cancel_intent(intent["id"], ABANDONED, key))
        except (PermanentFailure, TemporaryFailure) as failure:
            raise OutcomeUnknown(str(failure)) from None

    def _as_it_stands(self, reference: str, request: DrawRequest) -> DrawResult:
        """Look at a draw that Stripe would not confirm: it may have been decided before."""
        with telling_nothing():
            intent = self._stripe.get_intent(reference)
        if intent["status"] == "requires_confirmation":
            raise PermanentFailure(f"Stripe does not confirm the payment {reference}.")
        return self._decided(intent, request)
