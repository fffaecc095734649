"""What Stripe's errors mean for us: surely nothing, surely no, asked wrongly, or unknown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import stripe
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout
from urllib3.exceptions import MaxRetryError, NewConnectionError

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from payments.gateway import GatewayMisuse


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
    """Write what is safe to repeat of an error."""
    kind = type(error).__name__
    facts = [kind, *(str(fact) for fact in (error.code, error.request_id) if fact)]
    return f" ({', '.join(facts)})"
