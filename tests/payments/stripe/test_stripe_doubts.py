"""What is made of an answer of Stripe's that says no, or nothing: no money moves by a guess."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import stripe
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import Money
from domain.payments import MethodKind
from payments.port import DrawRequest, Refunded
from payments.stripe.client import CardDeclined, ask_all, ask_one
from payments.stripe.gateway import StripeGateway

KEY = "autopay/2026-10/1/1"
INTENT = {
    "id": "pi_1", "object": "payment_intent", "amount": 100_00, "status": "succeeded",
    "metadata": {"draw_key": KEY, "account": "1"}, "payment_method_types": ["card"],
}  # fmt: skip


def raises(failure: Exception) -> Any:
    def ask(*_given: Any) -> Any:
        raise failure

    return ask


def a_gateway(**answers: Any) -> StripeGateway:
    """A gateway whose requests are answered so; what is no function is the answer."""
    asked = {
        name: answer if callable(answer) else lambda *_given, answer=answer: answer
        for name, answer in answers.items()
    }
    return StripeGateway(SimpleNamespace(**asked))


def refund(**answers: Any) -> Refunded:
    return a_gateway(list_refunds=[], **answers).refund("pi_1", Money(40_00), "refund/1")


def test_where_nobody_knows_what_is_left_nothing_was_given_back():
    with pytest.raises(TemporaryFailure, match=r"^no answer$"):
        refund(get_intent=raises(OutcomeUnknown("no answer")))


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_stripe_could_not_give_is_none(status):
    given = {"id": "re_1", "status": status, "amount": 40_00}

    with pytest.raises(PermanentFailure, match=r"^Stripe could not refund the payment pi_1\.$"):
        refund(get_intent=INTENT, create_refund=given)


@pytest.mark.parametrize("status", ["succeeded", "pending", "requires_action"])
def test_a_refund_that_is_given_or_on_its_way_is_one(status):
    given = {"id": "re_1", "status": status, "amount": 40_00}

    assert Refunded("re_1", Money(40_00)) == refund(get_intent=INTENT, create_refund=given)


def test_a_draw_that_stripe_will_not_confirm_is_refused_for_good():
    waits = INTENT | {"status": "requires_confirmation"}
    gateway = a_gateway(get_intent=waits, confirm_intent=raises(PermanentFailure("no")))
    request = DrawRequest(KEY, "1", "pm_1", MethodKind.CARD, Money(100_00))

    with pytest.raises(PermanentFailure, match=r"^Stripe does not confirm the payment pi_1\.$"):
        gateway.confirm("pi_1", request)


def test_what_is_none_of_our_events_is_passed_over():
    others = {"id": "evt_1", "type": "payment_intent.succeeded", "created": 1_794_000_000}
    foreign = others | {"data": {"object": INTENT | {"metadata": {}}}}
    gateway = a_gateway(list_events=[foreign], get_intent=INTENT)

    assert [] == list(gateway.late_events(datetime(2026, 11, 1, tzinfo=UTC)))


def a_card_error(body: Any) -> Exception:
    return stripe.CardError("pm_secret was declined", None, "card_declined", json_body=body)


def test_a_cards_decline_bears_stripes_error_and_without_one_is_a_refusal():
    error = {"code": "card_declined", "decline_code": "do_not_honor"}

    with pytest.raises(CardDeclined) as declined:
        ask_one("payment_intent", raises(a_card_error({"error": error})))
    with pytest.raises(PermanentFailure, match=r"^Stripe refused the request ") as refused:
        ask_one("payment_intent", raises(a_card_error(None)))

    assert error == declined.value.error
    assert not isinstance(refused.value, CardDeclined)
    assert "pm_secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("cause", "failure"),
    [
        pytest.param(ConnectTimeout(), TemporaryFailure, id="nobody took the call"),
        pytest.param(NoConnection("reset"), OutcomeUnknown, id="the line broke"),
        pytest.param(None, OutcomeUnknown, id="nothing is known of it"),
    ],
)
def test_only_what_was_surely_never_sent_has_surely_not_happened(cause, failure):
    error = stripe.APIConnectionError("pm_secret")
    error.__cause__ = cause

    with pytest.raises(failure) as raised:
        ask_one("payment_intent", raises(error))
    with pytest.raises(failure):
        list(ask_all(raises(error)))

    assert "pm_secret" not in str(raised.value)
