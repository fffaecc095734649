"""The requests that we make to Stripe: each exactly once, each answer as a plain mapping."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import stripe
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout
from stripe.params import PaymentIntentConfirmParams
from urllib3.exceptions import MaxRetryError, NewConnectionError

from domain.causes import say_cause
from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import Money
from domain.payments import MethodKind
from payments.port import DrawRequest, GatewayMisuse
from payments.stripe.events import KINDS
from payments.stripe.results import (
    ACCOUNT,
    ACH,
    CUSTOMER,
    DRAW_KEY,
    REFUND_KEY,
    Plain,
    start_of,
)


def to_failure(error: stripe.StripeError) -> Exception:
    """
    Return the failure that an error of Stripe's is, to be raised in its place.

    Stripe's own messages name tokens, so none is taken over: only its type, code and request
    number are. Whatever is not known for certain to have done nothing is OutcomeUnknown.
    """
    said = _said(error)
    if isinstance(error, stripe.IdempotencyError):  # a key in use is a 409, which is unknown
        return GatewayMisuse(f"Stripe knows the key with other parameters{said}.")
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return GatewayMisuse(f"Stripe refuses payments.stripe_api_key{said}; nothing was done.")
    if isinstance(error, stripe.RateLimitError) or _was_never_sent(error):
        return TemporaryFailure(f"Stripe did not take the request{said}.")
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError):
        return PermanentFailure(f"Stripe refused the request{said}.")
    return OutcomeUnknown(f"Stripe did not answer as it should{said}.")


@contextmanager
def moving_nothing() -> Iterator[None]:
    """Take an unknown outcome for a temporary failure: no money moves, whatever happened."""
    try:
        yield
    except OutcomeUnknown as failure:
        raise TemporaryFailure(str(failure)) from None


@contextmanager
def telling_nothing() -> Iterator[None]:
    """Take every failure of a lookup for what it is: nothing is known of the draw."""
    try:
        yield
    except (TemporaryFailure, PermanentFailure) as failure:
        raise OutcomeUnknown(str(failure)) from None


def _was_never_sent(error: stripe.StripeError) -> bool:
    """Tell an error that came before the connection: nobody can have read the request."""
    cause = error.__cause__
    if not isinstance(error, stripe.APIConnectionError) or not isinstance(cause, NoConnection):
        return False
    if isinstance(cause, ConnectTimeout):
        return True
    reason = cause.args[0] if cause.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)


def _said(error: stripe.StripeError) -> str:
    """Write what is safe to repeat of an error: what kind it is in words, its code and number."""
    why = next((words for kind, words in _IN_WORDS.items() if isinstance(error, kind)), "")
    if isinstance(error, stripe.APIConnectionError):
        why = say_cause(error)
    facts = [str(fact) for fact in (why, error.code, error.request_id) if fact]
    return f" ({', '.join(facts)})" if facts else ""


_IN_WORDS = {
    stripe.AuthenticationError: "the key is not known there",
    stripe.PermissionError: "the key may not do that",
    stripe.RateLimitError: "too many requests at a time",
    stripe.CardError: "the card is refused",
    stripe.InvalidRequestError: "something in it is wrong",
    stripe.APIError: "an error of its own",
}


NEEDED = {
    "payment_intent": ("id", "status", "amount"),
    "payment_method": ("id",),
    "refund": ("id", "status", "amount"),
    "customer": ("id",),
    "checkout.session": ("id", "status", "mode"),
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


CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 30.0
PAGE = 100  # entries that Stripe lists at a time, at most
WITH_CHARGE = "latest_charge"
WITH_SETUP = ("setup_intent.payment_method", "setup_intent.mandate")


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

    def confirm_intent(self, reference: str, request: DrawRequest) -> Plain:
        """
        Draw; raises CardDeclined where the bank says no.

        With an address to come back to, Stripe leads to the bank's page instead of asking for a
        script of its own on ours.
        """
        asked: PaymentIntentConfirmParams = {
            "off_session": not request.is_by_customer,
            "expand": [WITH_CHARGE],
        }
        if request.returns_to.startswith(("https://", "http://")):  # Stripe takes no other
            asked["return_url"] = request.returns_to
        return ask_one(
            "payment_intent",
            lambda: self._api.payment_intents.confirm(
                reference, asked, {"idempotency_key": f"{request.key}/confirm"}
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

    def create_customer(self, key: str, name: str) -> Plain:
        """Make a customer; `name` is ours for them and says nothing of who they are."""
        return ask_one(
            "customer",
            lambda: self._api.customers.create(
                {"metadata": {CUSTOMER: name}}, {"idempotency_key": f"{key}/customer"}
            ),
        )

    def create_setup_page(
        self, key: str, customer: str, returns_to: str, kinds: Sequence[str]
    ) -> Plain:
        """Make a page on which a customer gives a method of some kind; nothing is drawn."""
        page: Any = {
            "mode": "setup",
            "customer": customer,
            "client_reference_id": key,
            "allowed_payment_method_types": list(kinds),
            "success_url": returns_to,
            "cancel_url": returns_to,
        }
        if ACH in kinds:
            page["payment_method_options"] = {ACH: {"verification_method": "instant"}}
        once: Any = {"idempotency_key": f"{key}/page/{customer}"}
        return ask_one("checkout.session", lambda: self._api.checkout.sessions.create(page, once))

    def get_setup_page(self, reference: str) -> Plain:
        return ask_one(
            "checkout.session",
            lambda: self._api.checkout.sessions.retrieve(reference, {"expand": list(WITH_SETUP)}),
        )

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
