"""A payment whose bank asks its customer on a page of its own (3-D Secure), as customers see it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from database.tables import delivery, draw
from office.lookup.why.explaining import explain_account
from office.procedures.checkout import follow_up
from tests.web.customers.conftest import ANN, Browser, an_office_with, register
from tests.web.customers.test_cart_pages import follow, guest_of, with_settings
from tests.web.customers.test_paying import PAY, add_method, owed, payments
from tests.web.customers.test_paying_badly import fill_cart, forms, later
from web.desk import desk_of


@pytest.fixture
def office(tmp_path, database):
    """The office on each kind of database: who comes back is found by what its books say."""
    return an_office_with(tmp_path, database)


@pytest.fixture
def city(office):
    found = with_settings(office)
    add_method(found, register(found, accounts=("0110371",)), "tok_bank_asks")
    return found


@pytest.fixture
def ann(city):
    """Ann has pressed the button, and reads that her bank wants her."""
    browser = Browser(desk_of(city))
    browser.sign_in()
    browser.get(PAY)
    check = follow(browser, browser.post(PAY, amount="45.50", method="tok_bank_asks"))
    follow(browser, browser.post(f"{check.url.path}/confirm"))
    return browser


def bank_of(browser) -> str:
    """Return where the page sends its customer."""
    return re.search(r'href="(/sandbox/bank/[^"]+)"', browser.page.text)[1]


def drawn(city) -> list[str]:
    with closing(sqlite3.connect(city.home / "sandbox-gateway.db")) as books:
        return [row[0] for row in books.execute("SELECT state FROM draw ORDER BY id")]


def test_the_customer_is_led_to_the_bank_and_back_to_a_payment_that_is_made(city, ann):
    asked, payment = ann.page.text, ann.page.url.path
    bank = bank_of(ann)
    page = ann.get(bank).text
    before = drawn(city)

    back = ann.post(bank, answer="yes").headers["location"]
    paid = follow(ann, ann.get(back))

    assert "Your bank wants you to confirm this payment" in asked
    assert "Nothing is taken yet." in asked
    assert "Do you want to pay $47.00?" in page
    assert f"{payment}/returned" == back
    assert (["prepared"], ["approved"]) == (before, drawn(city))
    assert "Thank you. Your payment was received." in paid.text
    assert ("0.00", [("47.00", "succeeded")]) == (owed(city), payments(city))


def test_why_says_that_a_payment_waits_for_its_bank_and_no_more_when_it_is_answered(city, ann):
    def said() -> bool:
        told = explain_account(city, "01.1037.1").sentences
        return any("wants the customer to confirm it" in sentence.text for sentence in told)

    before = said()
    ann.get(ann.post(bank_of(ann), answer="yes").headers["location"])

    assert (True, False) == (before, said())


def test_a_no_at_the_bank_takes_nothing_and_says_what_to_do(city, ann):
    back = ann.post(bank_of(ann), answer="no").headers["location"]

    said = follow(ann, ann.get(back)).text

    assert "Your payment was declined" in said
    assert "Your bank wanted you to confirm this payment, and that did not happen." in said
    assert "Please begin again and answer your bank" in said
    assert "Begin again" in said
    assert "45.50" == owed(city)


@pytest.mark.parametrize("place", ["returned", "stop", "confirm", "again"])
def test_an_address_alone_makes_no_payment(city, ann, place):
    ann.get(f"{ann.page.url.path}/{place}?payment_intent=pi_1&redirect_status=succeeded")

    assert ["prepared"] == drawn(city)
    assert [("47.00", "submitted")] == payments(city)


def test_the_way_back_is_nobodys_else(city, ann):
    register(city, "bob@portal.example")
    bob = Browser(desk_of(city))
    bob.sign_in("bob@portal.example")

    assert 404 == bob.get(f"{ann.page.url.path}/returned").status_code
    bob.get("/account")
    assert 404 == bob.post(f"{ann.page.url.path}/stop").status_code
    assert ["prepared"] == drawn(city)


def test_the_button_pressed_again_in_another_tab_leads_to_the_same_bank(city, ann):
    payment, bank = ann.page.url.path, bank_of(ann)

    again = follow(ann, ann.post(f"{payment}/confirm"))

    assert bank in again.text
    assert ["prepared"] == drawn(city)


def test_the_answer_may_be_given_in_one_tab_and_looked_for_in_another(city, ann):
    other = Browser(ann.app, ann.cookies)
    bank, payment = bank_of(ann), ann.page.url.path
    other.post(bank, answer="yes")

    twice = [follow(ann, ann.get(f"{payment}/returned")).text for _ in range(2)]
    replayed = other.post(bank, answer="no")

    assert ["Thank you" in page for page in twice] == [True, True]
    assert 303 == replayed.status_code
    assert (["approved"], [("47.00", "succeeded")]) == (drawn(city), payments(city))


def test_whoever_is_signed_out_meanwhile_signs_in_and_finds_the_payment(city, ann):
    bank = bank_of(ann)
    stranger = Browser(ann.app)
    back = stranger.post(bank, answer="yes").headers["location"]

    door = stranger.get(back).headers["location"]
    found = stranger.send("/sign-in", email=ANN, password="correct horse battery", next=back)
    end = follow(stranger, stranger.get(found.headers["location"]))

    assert f"/sign-in?next={back}" == door
    assert "Thank you. Your payment was received." in end.text


def test_whoever_never_comes_back_is_told_the_end_by_mail(city, ann):
    ann.post(bank_of(ann), answer="gone")

    follow_up(later(city, minutes=6))

    assert [("47.00", "succeeded")] == payments(city)
    assert ["receipt"] == forms(city)


def test_whoever_never_answers_is_told_by_mail_that_nothing_was_taken(city, ann):
    payment = ann.page.url.path
    for minutes in (6, 12, 31):
        follow_up(later(city, minutes=minutes))

    with city.database.reading() as books:
        told = books.execute(sa.select(delivery.c.form, delivery.c.address)).all()
    assert [("47.00", "declined")] == payments(city)
    assert [("receipt-not-taken", ANN)] == [tuple(row) for row in told]
    assert "Your payment was declined" in ann.get(payment).text


def test_the_customer_may_give_the_payment_up_and_begin_again(city, ann):
    stopped = follow(ann, ann.post(f"{ann.page.url.path}/stop"))

    again = follow(ann, ann.post(f"{stopped.url.path}/again"))

    assert "Your payment was declined" in stopped.text
    assert PAY == again.url.path
    assert ["declined"] == drawn(city)
    assert [] == forms(city)  # who reads the page needs no mail


def test_a_guest_is_led_to_the_bank_and_back_too(city):
    guest = guest_of(city)
    fill_cart(guest, "/guest")
    sandbox = follow(guest, guest.post("/guest/cart", email="guest@home.example"))
    check = follow(guest, guest.post(sandbox.url.path, token="tok_bank_asks"))
    asked = follow(guest, guest.post(f"{check.url.path}/confirm"))

    back = guest.post(bank_of(guest), answer="yes").headers["location"]
    paid = follow(guest, guest.get(back))

    assert "Your bank wants you to confirm this payment" in asked.text
    assert f"{check.url.path}/returned" == back
    assert "Thank you. Your payment was received." in paid.text


@pytest.mark.parametrize("place", ["returned", "stop"])
def test_whoever_reloads_does_not_use_up_the_look_ups_of_a_lost_answer(city, office, place):
    add_method(city, 1, "tok_never_arrives")
    browser = Browser(desk_of(city))
    browser.sign_in()
    browser.get(PAY)
    check = follow(browser, browser.post(PAY, amount="10", method="tok_never_arrives"))
    waiting = follow(browser, browser.post(f"{check.url.path}/confirm"))

    browser.get("/account")
    for _ in range(3):
        browser.send(f"{check.url.path}/{place}", csrf=browser.token)
        browser.get(f"{check.url.path}/{place}")

    assert "Do not pay again." in waiting.text
    with city.database.reading() as books:
        assert 0 == books.scalar(sa.select(draw.c.lookups))


def test_there_is_no_bank_where_nobody_was_asked(city, ann):
    assert 404 == ann.get("/sandbox/bank/none").status_code
    assert 404 == ann.post("/sandbox/bank/none", answer="yes").status_code
