"""A new card or bank account in mid-payment: to the gateway's page and back."""

from __future__ import annotations

from starlette.responses import Response

from domain.failures import Misuse, OutcomeUnknown, PermanentFailure, Refused, TemporaryFailure
from domain.payments import MethodKind
from office.procedures.portal.method_capture import begin_capture, begin_guest_capture
from web.customers.paying.payers import PagePayer
from web.customers.refusals import TOO_MANY, refusal_of
from web.layout import show
from web.visits import Visit, redirect

Kinds = tuple[MethodKind, ...]
NO_PAGE = (
    "The page for payment methods cannot be reached at this moment. Nothing was taken; please "
    "try again later."
)
NO_ANSWER = (TemporaryFailure, PermanentFailure, OutcomeUnknown, Misuse)  # or no page is set


def send_to_capture(visit: Visit, goes_on_to: str, kinds: Kinds) -> Response:
    """
    Send a portal user to the gateway's page, which leads back into their payment.

    It offers the kinds in which all that they pay may be paid (rule 136).
    """
    try:
        return _lead_to(visit, begin_capture(visit.office, visit.user, goes_on_to, kinds))
    except Refused as refused:
        status, sentence = refusal_of(refused)
        return _stop(visit, sentence, status)
    except NO_ANSWER:
        return _stop(visit, NO_PAGE, 503)


def send_guest_to_capture(visit: Visit, payer: PagePayer, kinds: Kinds) -> Response:
    """Send a guest to the gateway's page; what they give there pays once and is not saved."""
    try:
        return _lead_to(visit, begin_guest_capture(visit.office, payer.owner, kinds))
    except Refused:
        return _stop(visit, TOO_MANY, 429)
    except NO_ANSWER:
        return _stop(visit, NO_PAGE, 503)


def _lead_to(visit: Visit, url: str) -> Response:
    if url.startswith("/"):
        return redirect(url)
    return show(visit, "wallet-go-on.html", url=url)  # our policy lets no form lead elsewhere


def _stop(visit: Visit, sentence: str, status: int) -> Response:
    return show(visit, "pay-stopped.html", status, sentence=visit.say(sentence))
