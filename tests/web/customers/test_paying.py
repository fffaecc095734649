"""Paying on the pages: one draw however it is pressed, nobody else's payment, no loose end."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.checkout import checkout
from database.definitions.identity import wallet_method, web_user
from database.queries.balances import read_open_balance
from database.tables import account, delivery, gateway_payment
from domain.money import Money
from domain.payments import MethodKind, PaymentKind, PaymentState
from office.procedures.checkout import follow_up
from office.settings.checkout import CheckoutSettings
from tests.builders import DUE, NOW, RUN
from tests.web.customers.conftest import ANN, BOB, Browser, register
from web.desk import desk_of

PAY = "/accounts/0110371/pay"


@pytest.fixture
def ann(office, browser):
    """Ann, signed in, with a card in her wallet; Bob has his own account and card."""
    for address, key, token in ((ANN, "0110371", "tok_ok"), (BOB, "0220002", "tok_bob")):
        user = register(office, address, accounts=(key,))
        add_method(office, user, token)
    browser.sign_in()
    return browser


def add_method(office, user, token, kind=MethodKind.CARD, last4="4242"):
    with office.database.writing() as books:
        books.execute(
            wallet_method.insert().values(
                token=token, user_number=user, kind=kind, last4=last4, added_at=NOW
            )
        )


def draft(browser, amount="45.50", method="tok_ok"):
    browser.get(PAY)
    answer = browser.post(PAY, amount=amount, method=method)
    assert 303 == answer.status_code, answer.text
    return answer.headers["location"]


def press(browser, place):
    browser.get(place)
    return browser.post(f"{place}/confirm")


def payments(office):
    with office.database.reading() as books:
        query = sa.select(gateway_payment.c.amount, gateway_payment.c.state)
        return [(str(amount), str(state)) for amount, state in books.execute(query)]


def owed(office):
    with office.database.reading() as books:
        return str(read_open_balance(books, "0110371"))


def mails(office):
    with office.database.reading() as books:
        query = sa.select(delivery.c.form, delivery.c.address).where(delivery.c.kind == "receipt")
        return [tuple(row) for row in books.execute(query)]


def test_a_bill_is_paid_in_three_pages_and_the_receipt_is_mailed(office, ann):  # rules 46 and 185
    asked = ann.get(PAY).text
    place = draft(ann)
    check = ann.get(place).text
    ann.post(f"{place}/confirm")
    paid = ann.get(place).text

    assert 'value="45.50"' in asked
    assert "Card ending 4242" in asked
    assert "Pay $45.50 now" in check
    assert "Your payment was received" in paid
    assert "0.00" == owed(office)
    assert [("receipt", ANN)] == mails(office)


def test_pressed_twice_in_two_tabs_and_reloaded_it_is_drawn_once(office, ann):
    place = draft(ann)
    ann.get(place)
    token = ann.token

    answers = [ann.send(f"{place}/confirm", csrf=token) for _ in range(3)]
    ann.get(f"{place}/confirm")
    ann.get(place)

    assert [(303, place)] * 3 == [(one.status_code, one.headers["location"]) for one in answers]
    assert [("45.50", "succeeded")] == payments(office)
    assert 1 == len(mails(office))


def test_a_check_page_that_was_left_open_too_long_pays_nothing_and_says_so(office, ann):
    place = draft(ann)
    ann.get(place)
    token = ann.token
    with office.database.writing() as books:
        books.execute(checkout.update().values(expires_at=checkout.c.made_at))

    ann.send(f"{place}/confirm", csrf=token)

    page = ann.get(place).text
    assert "A payment must be confirmed within 30 minutes. Nothing was taken." in page
    assert ([], "45.50") == (payments(office), owed(office))


def test_looking_never_pays(office, ann):
    place = draft(ann)

    for path in (place, f"{place}/confirm"):
        ann.get(path)
        ann.head(path)

    assert [] == payments(office)


def test_nobody_sees_or_pays_somebody_elses_payment(office, app, ann):
    place = draft(ann)
    bob = Browser(app)
    bob.sign_in(BOB)
    bob.get("/")

    seen, pressed = bob.get(place), bob.post(f"{place}/confirm")
    account_page, posted = bob.get(PAY), bob.post(PAY, amount="1", method="tok_bob")

    assert [404] * 4 == [one.status_code for one in (seen, pressed, account_page, posted)]
    assert seen.text == bob.get("/payments/there-is-none").text.replace("there-is-none", place[10:])
    assert [] == payments(office)


def test_somebody_elses_card_is_not_taken(office, ann):
    ann.get(PAY)

    answer = ann.post(PAY, amount="45.50", method="tok_bob")

    assert 422 == answer.status_code
    assert "Choose what to pay with." in answer.text


@pytest.mark.parametrize(
    ("csrf", "headers", "status"),
    [
        pytest.param("", {}, 403, id="without the form's token"),
        pytest.param("x" * 43, {}, 403, id="with a made-up token"),
        pytest.param("own", {"sec-fetch-site": "cross-site"}, 403, id="from another site"),
    ],
)
def test_another_sites_form_pays_nothing(office, ann, csrf, headers, status):
    place = draft(ann)
    ann.get(place)

    answer = ann.send(
        f"{place}/confirm", headers=headers, csrf=ann.token if csrf == "own" else csrf
    )

    assert status == answer.status_code
    assert [] == payments(office)


@pytest.mark.parametrize("typed", ["45,50", "800,00", "", "0", "-5", "12.345", "abc"])
def test_an_amount_that_is_none_is_asked_again(ann, typed):
    ann.get(PAY)

    answer = ann.post(PAY, amount=typed, method="tok_ok")

    assert 422 == answer.status_code
    assert "Enter the amount in dollars" in answer.text


def test_more_than_can_be_paid_is_refused_with_the_most(ann):
    ann.get(PAY)

    answer = ann.post(PAY, amount="1,027.35", method="tok_ok")

    assert 422 == answer.status_code
    assert "You can pay at most $45.50 now." in answer.text


def test_a_blocked_way_is_neither_offered_nor_accepted(office, ann):
    with office.database.writing() as books:
        books.execute(account.update().values(block_card=True))

    page = ann.get(PAY).text
    answer = ann.post(PAY, amount="45.50", method="tok_ok")

    assert "tok_ok" not in page
    assert 422 == answer.status_code
    assert [] == payments(office)


def test_a_fee_is_shown_on_the_check_page_only_and_is_within_the_total(office):
    settings = office.settings.model_copy(
        update={"checkout": CheckoutSettings(card_fee_percent="2.95", card_fee="0.25")}
    )
    with_fee = replace(office, settings=settings)
    user = register(with_fee, accounts=("0110371",))
    add_method(with_fee, user, "tok_ok")
    ann = Browser(desk_of(with_fee))
    ann.sign_in()

    asked = ann.get(PAY).text
    place = draft(ann)
    check = ann.get(place).text
    ann.post(f"{place}/confirm")

    assert "Service fee" not in asked
    assert "Service fee" in check and "$1.59" in check
    assert "Pay $47.09 now" in check
    assert [("47.09", "succeeded")] == payments(with_fee)
    assert "0.00" == owed(with_fee)


def test_a_lost_answer_says_not_to_pay_again_and_the_end_is_mailed(office, ann, monkeypatch):
    add_method(office, 1, "tok_lost_response", last4="1111")
    place = draft(ann, method="tok_lost_response")
    press(ann, place)
    waiting = ann.get(place).text
    home = ann.get("/").text
    again = ann.get(PAY).text

    later = replace(office, clock=replace(office.clock, as_of=office.clock.as_of + LATER))
    queued = follow_up(later)

    assert "Do not pay again" in waiting
    assert "$45.50 is on its way." in home
    assert "Nothing is to be paid on this account now." in again
    assert 1 == queued
    assert "Your payment was received" in ann.get(place).text
    assert [("receipt", ANN)] == mails(office)


LATER = timedelta(minutes=6)


def test_a_declined_payment_says_why_and_takes_nothing(office, ann):
    add_method(office, 1, "tok_expired_card", last4="1111")
    place = draft(ann, method="tok_expired_card")
    press(ann, place)

    page = ann.get(place).text

    assert "Your payment was declined" in page
    assert "Nothing was taken." in page
    assert "45.50" == owed(office)
    assert [] == mails(office)


def test_who_is_signed_out_in_mid_payment_finds_it_again(office, ann):
    place = draft(ann)
    ann.get(place)
    token = ann.token
    ann.cookies.clear()

    stopped = ann.send(f"{place}/confirm", csrf=token)
    ann.sign_in()
    back = ann.get(f"{place}/confirm")

    assert f"/sign-in?next={place}/confirm" == stopped.headers["location"]
    assert place == back.headers["location"]
    assert [] == payments(office)
    assert "Pay $45.50 now" in ann.get(place).text


def test_a_balance_that_was_paid_meanwhile_is_not_paid_twice(office, ann):
    first, second = draft(ann), draft(ann)
    press(ann, first)
    press(ann, second)

    assert "what you owe has changed" in ann.get(second).text or re.search(
        "Nothing is to be paid", ann.get(second).text
    )
    assert [("45.50", "succeeded")] == payments(office)


def test_what_was_paid_since_is_not_said_to_be_drawn_by_autopay(office, ann):
    facts = {
        "key": f"autopay/{RUN}/0110371/1", "kind": PaymentKind.AUTOPAY, "period": RUN,
        "account_key": "0110371", "account": "01.1037.1", "number": 1, "pay_on": DUE,
        "amount": Money(45_50), "service_fee": Money(0), "method_token": "tok_ok",
        "method_kind": MethodKind.CARD, "last4": "4242", "immediate": False,
        "state": PaymentState.SCHEDULED, "scheduled_at": NOW,
    }  # fmt: skip
    with office.database.writing() as books:
        books.execute(gateway_payment.insert().values(facts))
    whole = ann.get(PAY).text

    press(ann, draft(ann, "10.00"))
    less, home = ann.get(PAY).text, ann.get("/").text
    press(ann, draft(ann, "35.50"))
    nothing = ann.get("/").text

    assert "Autopay draws $45.50 on" in whole
    assert "Autopay draws $35.50 on" in less
    assert "Autopay draws $35.50 on" in home
    assert "Autopay draws" not in nothing


def checked(page: str) -> list[str]:
    """Which method a page has chosen before anybody chooses, and in which order they stand."""
    return re.findall(r'name="method" value="([^"]+)" checked', page)


@pytest.mark.parametrize("path", [PAY, "/cart"])
def test_the_default_method_is_offered_first_and_chosen(office, ann, path):
    """Rule 122, and what the wallet says of it; whatever else would stand first by its digits."""
    with office.database.reading() as books:
        user = books.scalar(sa.select(web_user.c.number).where(web_user.c.mailbox == ANN))
    add_method(office, user, "tok_ach_ok", MethodKind.ACH, "1111")
    add_method(office, user, "tok_default", MethodKind.CARD, "9999")
    ann.get(PAY)
    ann.post(PAY, amount="10.00", act="cart")
    before = checked(ann.get(path).text)
    with office.database.writing() as books:
        chosen = web_user.update().where(web_user.c.number == user)
        books.execute(chosen.values(default_method="tok_default"))

    page = ann.get(path).text

    offered = re.findall(r'name="method" value="([^"]+)"', page)
    assert ([], ["tok_default"]) == (before, checked(page))
    assert ("tok_default", "new") == (offered[0], offered[-1])


def test_a_method_that_was_added_in_mid_payment_is_the_one_that_is_chosen(office, ann):
    with office.database.writing() as books:
        books.execute(web_user.update().values(default_method="tok_ok"))
    ann.get(PAY)
    page = ann.post(PAY, amount="10.00", method="new").headers["location"]
    ann.get(page)
    back = ann.post(page, token="tok_ach_ok").headers["location"]

    cart = ann.get(ann.get(back).headers["location"]).text

    (chosen,) = checked(cart)
    assert chosen.startswith("tok_ach_ok.")
    assert ["tok_ok"] == checked(ann.get("/cart?method=nonsense").text)
