"""Payments that go wrong on the pages: begun again, found again, told of, and never twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.checkout import cart_line
from database.tables import delivery, draw, gateway_payment
from domain.payments import MethodKind, PaymentState
from mail.notices.checkouts import queue_checkout_mails
from mail.reminders.queueing import withdraw_notices
from office.procedures.checkout import follow_up
from office.settings.checkout import CheckoutSettings
from payments.outcomes.events import take_in_events
from tests.builders import NOW
from tests.web.customers.conftest import ANN, Browser, register
from tests.web.customers.test_cart_pages import OPEN, OTHER, follow, guest_of, with_settings
from tests.web.customers.test_paying import PAY, add_method, draft, owed, payments, press
from web.desk import desk_of

CARD_NUMBER = "4242 4242 4242 4242"


@pytest.fixture
def city(office):
    found = with_settings(office, other_payments=OTHER.model_copy(update={"permits": ""}))
    user = register(found, accounts=("0110371", "0220002"))
    for token in ("tok_ok", "tok_expired_card", "tok_chargeback_d3"):
        add_method(found, user, token)
    add_method(found, user, "tok_ach_R01_d2", kind=MethodKind.ACH, last4="6789")
    return found


def later(city, **time):
    return replace(city, clock=replace(city.clock, as_of=city.clock.as_of + timedelta(**time)))


def forms(city):
    with city.database.reading() as books:
        query = sa.select(delivery.c.form).where(delivery.c.kind == "receipt")
        return sorted(books.scalars(query))


def fill_cart(browser, base=""):
    browser.get(f"{base}/other/shelter")
    browser.post(f"{base}/other/shelter", payor="Ann", amount="7")
    browser.get(f"{base}/other/deposit" if not base else f"{base}/other/permit")
    fields = {"number": "01.1037.1"} if not base else {"number": "BP-77"}
    browser.post(browser.page.url.path, amount="20", **fields)
    return browser.get(f"{base}/cart")


def test_a_declined_cart_is_begun_again_with_all_that_stood_in_it(city, ann):
    before = fill_cart(ann).text
    place = ann.post("/cart", method="tok_expired_card").headers["location"]
    press(ann, place)
    emptied = ann.get("/cart").text
    declined = ann.get(place).text

    again = follow(ann, ann.post(f"{place}/again"))
    twice = follow(ann, ann.send(f"{place}/again", csrf=ann.token))

    assert "Begin again" in declined
    assert "There is nothing to pay here yet" in emptied
    for page in (before, again.text, twice.text):
        assert 2 == page.count("Take out<span")
        assert "$27.00" in page


def test_what_was_declined_is_not_begun_again_on_an_account_that_was_taken_off(city, ann):
    """Its page of paying is not there any more: the button would lead to nothing."""
    place = draft(ann, method="tok_expired_card")
    press(ann, place)
    before = ann.get(place).text
    ann.get("/accounts/0110371/unlink")
    ann.post("/accounts/0110371/unlink")

    after = ann.get(place).text

    assert "Begin again" in before
    assert "Your payment was declined" in after and "Begin again" not in after


def test_a_guests_declined_payment_is_begun_again_with_another_card(city):
    guest = guest_of(city)
    fill_cart(guest, "/guest")
    sandbox = follow(guest, guest.post("/guest/cart", email="guest@home.example"))
    check = follow(guest, guest.post(sandbox.url.path, token="tok_expired_card"))
    follow(guest, guest.post(f"{check.url.path}/confirm"))

    cart = follow(guest, guest.post(f"{check.url.path}/again"))

    assert "/guest/cart" == cart.url.path
    assert "$27.00" in cart.text


def test_a_payment_that_was_taken_is_not_begun_again(city, ann):
    fill_cart(ann)
    place = ann.post("/cart", method="tok_ok").headers["location"]
    press(ann, place)
    ann.get(place)

    ann.send(f"{place}/again", csrf=ann.token)

    assert "Begin again" not in ann.page.text
    with city.database.reading() as books:
        assert 0 == books.scalar(sa.select(sa.func.count()).select_from(cart_line))


def test_whoever_sits_at_the_computer_next_does_not_pay_with_the_guests_card(city):
    guest = guest_of(city)
    fill_cart(guest, "/guest")
    sandbox = follow(guest, guest.post("/guest/cart", email="guest@home.example"))
    added = guest.post(sandbox.url.path, token="tok_ok").headers["location"]
    check = follow(guest, guest.get(added))
    follow(guest, guest.post(f"{check.url.path}/confirm"))
    fill_cart(guest, "/guest")

    again = guest.get(added)  # by the browser's history

    assert 422 == again.status_code
    assert "used for one payment only" in again.text
    assert [("28.50", "succeeded")] == payments(city)


def test_who_is_signed_out_at_the_gateways_page_comes_back_to_the_payment(city, ann):
    ann.get(PAY)
    sandbox = follow(ann, ann.post(PAY, amount="12.00", method="new"))
    added = ann.post(sandbox.url.path, token="tok_ok").headers["location"]
    ann.cookies.clear()

    turned_away = ann.get(added).headers["location"]
    ann.get(turned_away)
    ann.sign_in()
    cart = follow(ann, ann.get(added))

    assert f"/sign-in?next={added}" == turned_away
    assert "/cart" == cart.url.path
    assert "$12.00" in cart.text
    assert [] == payments(city)


def test_whose_request_died_is_told_that_nothing_was_taken(city, ann):
    place = draft(ann)
    press(ann, place)
    with city.database.writing() as books:  # as a crash before it was asked leaves it
        books.execute(draw.update().values(state="created", created_at=NOW, answered_at=None))
        books.execute(gateway_payment.update().values(state="scheduled", taken_at=None))
        books.execute(delivery.delete())

    follow_up(later(city, hours=1))

    assert "Nothing was taken" in ann.get(place).text
    assert ["receipt-not-taken"] == forms(city)


def test_a_no_that_stands_on_the_page_is_not_mailed_besides(city, ann):
    press(ann, draft(ann, method="tok_expired_card"))

    follow_up(later(city, minutes=10))

    assert [] == forms(city)


@pytest.mark.parametrize("field", ["payor", "comment"])
def test_a_card_number_is_taken_nowhere_but_at_the_gateway(city, ann, field):
    ann.get("/other/shelter")

    answer = ann.post("/other/shelter", **{"payor": "Ann", "amount": "7"} | {field: CARD_NUMBER})

    assert 422 == answer.status_code
    assert "looks like the number of a card" in answer.text
    assert CARD_NUMBER not in answer.text
    with city.database.reading() as books:
        assert 0 == books.scalar(sa.select(sa.func.count()).select_from(cart_line))


def test_nothing_is_owed_and_something_is_paid_ahead_where_the_office_lets_it(city, ann):
    press(ann, draft(ann))
    without = ann.get("/").text
    open_office = with_settings(city, checkout=OPEN.model_copy(update={"pay_ahead": True}))
    ahead = Browser(desk_of(open_office), ann.cookies)
    home = ahead.get("/").text
    place = draft(ahead, "30.00")
    check = ahead.get(place).text
    ahead.post(f"{place}/confirm")

    assert "Pay ahead" not in without
    assert "Pay ahead" in home
    assert "This is more than you owe." in check
    assert "-30.00" == owed(city)


@pytest.mark.parametrize(
    ("method", "days", "words", "begins_again"),
    [
        pytest.param("tok_ach_R01_d2", 3, "Your bank returned $45.50", True, id="return"),
        pytest.param(
            "tok_chargeback_d3", 4, "Your card&#39;s bank took $45.50 back", False, id="dispute"
        ),
    ],
)
def test_what_a_bank_took_back_is_said_on_the_page_and_by_mail(
    city, ann, method, days, words, begins_again
):
    """What is disputed is not begun again: it would be paid twice if the bank decides for us."""
    open_office = with_settings(city, checkout=CheckoutSettings())
    ann = Browser(desk_of(open_office), ann.cookies)
    place = draft(ann, method=method)
    press(ann, place)
    after = later(open_office, days=days)
    after.gateway.move_clock(timedelta(days=days))
    take_in_events(after.database, after.gateway, after.autopay_terms, after.due_now)
    follow_up(after)

    page = ann.get(place).text

    assert "Your payment went back" in page
    assert words in page
    assert begins_again is ("Begin again" in page)
    assert "45.50" == owed(city)
    assert ["receipt", "receipt-taken-back"] == forms(city)


def test_what_waits_of_a_payment_by_hand_leaves_unless_it_is_not_so_any_more(city, ann):
    """Autopay's payments decide about autopay's receipts alone: whoever has none paid, too."""
    add_method(city, 1, "tok_chargeback_d3_won_d6")
    press(ann, draft(ann, method="tok_chargeback_d3_won_d6"))
    waiting = []

    for days in (0, 4, 7):
        after = later(city, days=days)
        after.gateway.move_clock(timedelta(days=4 if days == 4 else 3 if days else 0))
        take_in_events(after.database, after.gateway, after.autopay_terms, after.due_now)
        follow_up(after)
        taken = withdraw_notices(after.database, after.due_now(), "anna")
        waiting.append((taken, forms(city)))

    back = "receipt-taken-back"
    assert [(0, ["receipt"]), (1, [back]), (0, [back, back])] == waiting


@pytest.mark.parametrize(
    ("state", "taken"), [(PaymentState.DECLINED, 0), (PaymentState.SUCCEEDED, 1)]
)
def test_a_word_of_nothing_taken_leaves_unless_it_was_taken_after_all(city, ann, state, taken):
    add_method(city, 1, "tok_lost_response")
    press(ann, draft(ann, method="tok_lost_response"))
    with city.database.writing() as books:
        books.execute(gateway_payment.update().values(state=PaymentState.DECLINED))
    queue_checkout_mails(city.database, city.notices_terms(city.due_now()))
    with city.database.writing() as books:
        books.execute(gateway_payment.update().values(state=state))

    before = forms(city)

    assert (["receipt-not-taken"], taken) == (
        before,
        withdraw_notices(city.database, city.due_now(), "anna"),
    )


def test_the_receipt_of_a_bank_debit_bears_the_words_that_were_agreed_to(city, ann):
    place = draft(ann, "10.00", method="tok_ach_R01_d2")
    check = ann.get(place).text
    ann.post(f"{place}/confirm")

    words = "debit your bank account ending 6789 once, today, for $10.00"
    assert words in check
    assert words in ann.get(place).text


def test_the_end_of_a_lost_answer_is_mailed_whatever_it_is(city, ann):
    add_method(city, 1, "tok_lost_response")
    press(ann, draft(ann, method="tok_lost_response"))

    follow_up(later(city, minutes=6))

    assert ["receipt"] == forms(city)
    with city.database.reading() as books:
        assert [ANN] == list(books.scalars(sa.select(delivery.c.address).distinct()))
