"""What is taken over of a method that was given on Stripe's page, and whom Stripe knows."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.failures import PermanentFailure, Refused, TemporaryFailure
from domain.payments import MethodKind
from payments.stripe.client import StripeRequests
from payments.stripe.method_capture import StripeCapture, to_captured
from tests.contracts.capture_desks import BACK, a_visit, signed
from tests.contracts.conftest import localstripe_url, stripe_capture, stripe_desk
from tests.contracts.stripe_desk import API_KEY
from tests.payments.stripe_pages import AGREED, BANK

__all__ = ["localstripe_url", "stripe_capture", "stripe_desk"]


@pytest.fixture
def desk(stripe_capture):
    return stripe_capture


def a_card(**facts) -> dict:
    card = {"brand": "visa", "last4": "4242", "exp_year": 2028, "exp_month": 2, **facts}
    return {"id": "pm_1", "object": "payment_method", "type": "card", "card": card}


def a_page_event(**facts) -> dict:
    page = {"id": "cs_1", "mode": "setup", "client_reference_id": "key-1", **facts}
    kind = page.pop("type", "checkout.session.completed")
    return {
        "id": "evt_1", "object": "event", "type": kind, "created": AGREED,
        "data": {"object": {"object": "checkout.session", **page}},
    }  # fmt: skip


def test_a_page_asks_for_a_card_or_a_bank_account_and_for_no_money(desk):
    page = desk.capture.begin(a_visit())

    asked = desk.stripe.front.missing.pages.asked[page.reference]

    assert {
        "mode": "setup",
        "customer": page.payer,
        "client_reference_id": "key-1",
        "allowed_payment_method_types[0]": "card",
        "allowed_payment_method_types[1]": "us_bank_account",
        "payment_method_options[us_bank_account][verification_method]": "instant",
        "success_url": f"{BACK}key-1",
        "cancel_url": f"{BACK}key-1",
    } == asked


@pytest.mark.parametrize("wallet", ["apple_pay", "google_pay"])
def test_a_card_of_a_phones_wallet_is_a_card(wallet):
    given = a_card(wallet={"type": wallet, "dynamic_last4": "9999", wallet: {}})

    taken = to_captured("cus_1", given, None)

    assert ("cus_1/pm_1", MethodKind.CARD, "4242", "Visa") == (
        taken.token, taken.kind, taken.last4, taken.brand,
    )  # fmt: skip


def test_stripe_hears_a_number_of_a_customer_and_nothing_of_who_they_are(desk):
    page = desk.capture.begin(a_visit())

    customer = desk.stripe.api.get(f"/v1/customers/{page.payer}").json()

    assert {"customer": "customer 17"} == customer["metadata"]
    assert (None, None) == (customer["email"], customer["name"])


def test_whom_stripe_knows_already_is_not_made_again(desk):
    first = desk.capture.begin(a_visit())

    second = desk.capture.begin(a_visit("key-2", payer=first.payer))

    assert (first.payer, True) == (second.payer, first.reference != second.reference)


def test_whom_stripe_knows_no_more_is_made_anew(desk):
    page = desk.capture.begin(a_visit(payer="cus_gone"))

    assert page.payer.startswith("cus_")
    assert page.payer != "cus_gone"


def test_a_bank_account_comes_with_what_was_agreed_to(desk):
    """The mandate is Stripe's; its number and moment are kept with the method."""
    page = desk.capture.begin(a_visit())
    desk.give(page, MethodKind.ACH)

    given = desk.capture.finish("key-1", page.reference)

    assert ("mandate_1", datetime.fromtimestamp(AGREED, UTC)) == (given.mandate, given.agreed_at)
    assert ("6789", "STRIPE TEST BANK") == (given.last4, given.brand)
    assert f"{page.payer}/pm_bank_1" == given.token


def test_a_bank_account_that_is_not_proved_yet_is_not_added(desk):
    page = desk.capture.begin(a_visit())
    desk.give(page, MethodKind.ACH)
    desk.page(page.reference)["setup_intent"]["status"] = "requires_action"

    assert desk.capture.finish("key-1", page.reference) is None


def test_a_page_that_ran_out_came_to_nothing(desk):
    page = desk.capture.begin(a_visit())
    desk.page(page.reference)["status"] = "expired"

    assert desk.capture.finish("key-1", page.reference) is None


@pytest.mark.parametrize("fact", [{"mode": "payment"}, {"client_reference_id": "key-2"}])
def test_a_page_that_is_not_this_visits_is_refused(desk, fact):
    page = desk.capture.begin(a_visit())
    desk.give(page, MethodKind.CARD)
    desk.page(page.reference).update(fact)

    with pytest.raises(PermanentFailure, match="another visit"):
        desk.capture.finish("key-1", page.reference)


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", "http://pay.example"])
def test_a_page_is_only_ever_reached_by_https(desk, url, monkeypatch):
    pages = desk.stripe.front.missing.pages
    make = pages._make

    def elsewhere(asked):
        make(asked)
        pages.held["cs_test_1"]["url"] = url
        return pages.answer("GET", "/v1/checkout/sessions/cs_test_1", {}, pages._headers)

    monkeypatch.setattr(pages, "_make", elsewhere)

    with pytest.raises(PermanentFailure, match="has no address"):
        desk.capture.begin(a_visit())


def test_nobody_there_is_a_failure_that_passes():
    capture = StripeCapture(StripeRequests(API_KEY, "http://127.0.0.1:9"))

    with pytest.raises(TemporaryFailure):
        capture.begin(a_visit())
    with pytest.raises(TemporaryFailure):
        capture.finish("key-1", "cs_1")


def test_a_cards_last_good_day_is_the_end_of_its_month():
    assert date(2028, 2, 29) == to_captured("cus_1", a_card(), None).expires_on
    assert to_captured("cus_1", a_card(exp_year=None), None).expires_on is None


@pytest.mark.parametrize(
    "method",
    [
        {"id": "pm_1", "type": "link", "link": {"last4": "4242"}},
        {"id": "pm_1", "type": "card"},
        a_card(last4="4242424242424242"),
        a_card(last4="424"),
        a_card(last4="٤٢٤٢"),
    ],
)
def test_what_cannot_be_shown_by_four_digits_is_refused(method):
    with pytest.raises(PermanentFailure):
        to_captured("cus_1", method, None)


def test_a_method_that_is_nobodys_at_stripe_is_refused():
    with pytest.raises(PermanentFailure):
        to_captured("", a_card(), None)


@given(number=st.from_regex(r"[0-9]{4,17}", fullmatch=True), words=st.text(max_size=12))
def test_no_number_gets_into_a_banks_name(number, words):
    """Whatever a bank calls itself: what could be an account's number stays out."""
    bank = {**BANK["us_bank_account"], "bank_name": f"{words} {number} BANK"}

    captured = to_captured("cus_1", {**BANK, "id": "pm_1", "us_bank_account": bank}, None)

    assert number not in captured.brand
    assert len(captured.brand) <= 30


def test_of_a_bank_account_nothing_but_its_name_and_last_four_is_taken():
    captured = to_captured("cus_1", {**BANK, "id": "pm_1"}, "mandate_7")

    kept = " ".join(str(getattr(captured, name)) for name in captured.__slots__)
    assert [False, False] == [word in kept for word in ("110000000", "FFDMA0xfhBjWSZLu")]
    assert "mandate_7" == captured.mandate


@pytest.mark.parametrize(
    ("facts", "key"),
    [
        ({}, "key-1"),
        ({"mode": "payment"}, ""),
        ({"type": "checkout.session.expired"}, ""),
        ({"client_reference_id": None}, ""),
    ],
)
def test_an_event_says_which_visit_ended(desk, facts, key):
    assert key == desk.capture.told_visit(*signed(a_page_event(**facts)))


def test_an_event_that_stripe_has_not_signed_says_nothing(desk):
    body, _ = signed(a_page_event())

    with pytest.raises(Refused):
        desk.capture.told_visit(body, "t=1,v1=2")
    with pytest.raises(Refused):
        StripeCapture(StripeRequests(API_KEY)).told_visit(*signed(a_page_event()))
