"""Stripe's events by golden payloads: money moves when Stripe says so, and each refund once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.money import Money
from payments.port import LateEvent, LateEventKind

pytest.importorskip("stripe", reason="the extra `stripe` is not installed")
from payments.stripe.events import to_late_event

KEY = "autopay/2026-10/0110371/1"
CREATED = 1_794_000_000
INTENT = {
    "id": "pi_1", "object": "payment_intent", "amount": 101_00, "status": "succeeded",
    "metadata": {"draw_key": KEY, "account": "0110371"}, "payment_method_types": ["card"],
}  # fmt: skip
BANK_INTENT = INTENT | {"payment_method_types": ["us_bank_account"]}


def told(kind: str, subject: dict, intent: dict = INTENT, event_id: str = "evt_1"):
    event = {"id": event_id, "type": kind, "created": CREATED, "data": {"object": subject}}
    return to_late_event(event, lambda _reference: intent)


def expected(kind: LateEventKind, cents: int, code: str, **changes) -> LateEvent:
    facts = {
        "event_id": "evt_1", "kind": kind, "draw_key": KEY, "reference": "pi_1",
        "amount": Money(cents), "code": code, "happened_at": datetime.fromtimestamp(CREATED, UTC),
    }  # fmt: skip
    return LateEvent(**{**facts, **changes})


def a_dispute(amount: int = 40_40, *lines: dict, **changes) -> dict:
    facts = {
        "id": "du_1", "object": "dispute", "amount": amount, "charge": "ch_1",
        "payment_intent": "pi_1", "reason": "fraudulent", "status": "needs_response",
        "balance_transactions": list(lines),
    }  # fmt: skip
    return facts | changes


TAKEN = {"id": "txn_1", "amount": -40_40, "fee": 15_00, "net": -55_40, "created": CREATED}
BACK = {"id": "txn_2", "amount": 40_40, "fee": 0, "net": 40_40, "created": CREATED + 9}


def a_refund(**changes) -> dict:
    facts = {
        "id": "re_1", "object": "refund", "amount": 40_00, "charge": "ch_1",
        "payment_intent": "pi_1", "reason": "requested_by_customer", "status": "succeeded",
        "metadata": {}, "created": CREATED,
    }  # fmt: skip
    return facts | changes


@pytest.mark.parametrize("kind", ["created", "updated", "closed"])
def test_a_dispute_that_is_only_spoken_of_moves_no_money(kind):
    assert None is told(f"charge.dispute.{kind}", a_dispute(40_40, TAKEN, status="won"))


def test_a_dispute_of_a_part_takes_its_part_and_its_fee_is_the_offices():
    event = told("charge.dispute.funds_withdrawn", a_dispute(40_40, TAKEN))

    assert expected(LateEventKind.CHARGED_BACK, 40_40, "fraudulent", fee=Money(15_00)) == event


def test_a_dispute_that_was_won_brings_its_money_back():
    event = told("charge.dispute.funds_reinstated", a_dispute(40_40, TAKEN, BACK, status="won"))

    assert expected(LateEventKind.REINSTATED, 40_40, "fraudulent") == event


def test_a_part_of_a_dispute_that_comes_back_is_that_part():
    part = BACK | {"amount": 10_00}

    assert (
        Money(10_00)
        == told("charge.dispute.funds_reinstated", a_dispute(40_40, TAKEN, part)).amount
    )


def test_a_dispute_without_lines_is_of_its_amount():
    assert expected(LateEventKind.CHARGED_BACK, 40_40, "fraudulent") == told(
        "charge.dispute.funds_withdrawn", a_dispute()
    )


@pytest.mark.parametrize("details", [{"due_by": CREATED + 9}, {"due_by": None}, None])
def test_a_dispute_says_until_when_it_is_answered_where_stripe_does(details):
    dispute = a_dispute(evidence_details=details)
    until = datetime.fromtimestamp(CREATED + 9, UTC) if details and details["due_by"] else None

    assert until == told("charge.dispute.funds_withdrawn", dispute).answer_by


def test_a_banks_late_return_comes_as_a_dispute():
    dispute = a_dispute(101_00, reason="insufficient_funds")

    event = told("charge.dispute.funds_withdrawn", dispute, BANK_INTENT)

    assert expected(LateEventKind.RETURNED, 101_00, "R01") == event


@pytest.mark.parametrize(
    "kind", ["refund.created", "refund.updated", "charge.refund.updated", "charge.refunded"]
)
def test_a_refund_at_the_desk_is_one_by_whatever_event_it_is_told(kind):
    subject = a_refund()
    if kind == "charge.refunded":
        older = a_refund(id="re_0", created=CREATED - 9)
        subject = {
            "id": "ch_1", "object": "charge", "payment_intent": "pi_1", "amount_refunded": 80_00,
            "refunds": {"data": [older, subject]},
        }  # fmt: skip

    event = told(kind, subject, event_id=f"evt_{kind}")

    assert (
        expected(LateEventKind.REFUNDED, 40_00, "requested_by_customer", event_id="re_1") == event
    )


def test_a_charge_that_names_no_refund_is_told_by_the_refund_itself():
    charge = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "amount_refunded": 40_00}

    assert None is told("charge.refunded", charge)


def test_our_own_refund_is_known_by_the_key_under_which_we_asked():
    refund = a_refund(metadata={"refund_key": "refund/autopay/2026-10/0110371/1"})

    assert "refund/autopay/2026-10/0110371/1" == told("refund.created", refund).refund_key


@pytest.mark.parametrize(
    ("kind", "status"),
    [("refund.failed", "failed"), ("refund.updated", "canceled"), ("refund.failed", "succeeded")],
)
def test_a_refund_that_failed_leaves_the_money_with_us(kind, status):
    refund = a_refund(status=status, failure_reason="expired_or_canceled_card")

    event = told(kind, refund)

    assert (
        expected(
            LateEventKind.REFUND_FAILED, 40_00, "expired_or_canceled_card", event_id="re_1/failed"
        )
        == event
    )


@pytest.mark.parametrize(
    "status", ["requires_payment_method", "processing", "succeeded", "canceled"]
)
def test_a_banks_no_is_told_whatever_the_intent_has_become(status):
    intent = BANK_INTENT | {
        "status": status, "last_payment_error": {"network_decline_code": "R01", "code": "x"},
    }  # fmt: skip

    assert expected(LateEventKind.RETURNED, 101_00, "R01") == told(
        "payment_intent.payment_failed", intent
    )


@pytest.mark.parametrize(
    "kind", ["refund.created", "charge.refunded", "charge.dispute.funds_withdrawn"]
)
def test_what_is_of_no_draw_of_ours_is_passed_over(kind):
    foreign = INTENT | {"metadata": {}}

    assert None is told(kind, a_refund(balance_transactions=[]), foreign)
    assert None is told(kind, a_refund(payment_intent=None))
