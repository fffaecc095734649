"""Payments that come oddly: absurd amounts, buttons pressed at once, prices that change."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from database.definitions.checkout import cart_line, checkout
from office.settings.checkout import DistributionSettings, OtherPaymentsSettings
from tests.web.customers.conftest import Browser, an_office_with, register
from tests.web.customers.test_cart_pages import OPEN, OTHER, follow, guest_of, with_settings
from tests.web.customers.test_paying import PAY, add_method, owed, payments
from tests.web.customers.test_paying_badly import later
from web.desk import desk_of

ONLINE = {"allow_online": True, "allow_portal": True}
MOST = 999_999_99


@pytest.fixture
def office(tmp_path, database):
    return an_office_with(tmp_path, database)


@pytest.fixture
def city(office):
    """A city in which people may pay ahead, several things at once."""
    ahead = OPEN.model_copy(update={"pay_ahead": True, "card_fee": "0.00"})
    found = with_settings(office, checkout=ahead)
    user = register(found, accounts=("0110371", "0220002"))
    add_method(found, user, "tok_ok")
    return found


def in_cart(city):
    query = sa.select(cart_line.c.account, cart_line.c.distribution, cart_line.c.amount)
    with city.database.reading() as books:
        rows = books.execute(query.order_by(cart_line.c.number)).all()
    return [(account, code, str(amount)) for account, code, amount in rows]


def at_once(browser, times, path, **fields):
    """Send one form of a browser's so many times in the same moment."""
    gate = threading.Barrier(times)
    cookies, token = httpx.Cookies(browser.cookies), browser.token

    def press(_number):
        mine = Browser(browser.app, httpx.Cookies(cookies))
        gate.wait()
        return mine.send(path, csrf=token, **fields).status_code

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(press, range(times)))


@pytest.mark.parametrize("act", ["", "cart", "other", "guest"])
@pytest.mark.parametrize("amount", ["1000000.00", "9" * 17, "9" * 25, "9" * 2_000])
def test_more_than_a_gateway_draws_at_once_is_asked_again_with_the_most(city, ann, act, amount):
    if act == "guest":
        ann = guest_of(city)
        path, fields = "/guest", {"number": "01.1037.1", "proof": "45.50"}
    elif act == "other":
        path, fields = "/other/shelter", {"payor": "Ann"}
    else:
        path, fields = PAY, {"method": "tok_ok", "act": act}
    ann.get(path)

    asked = ann.post(path, amount=amount, **fields)

    assert 422 == asked.status_code
    assert "One payment may be $999,999.99 at most." in asked.text
    assert [] == in_cart(city)


def test_the_office_may_set_a_lower_most_and_it_holds_for_the_whole_with_its_fee(city):
    low = city.settings.checkout.model_copy(update={"most": "46.99", "card_fee": "1.50"})
    ann = Browser(desk_of(with_settings(city, checkout=low)))
    ann.sign_in()
    ann.get(PAY)

    refused = ann.post(PAY, amount="45.50", method="tok_ok")
    taken = ann.post(PAY, amount="45.49", method="tok_ok")

    assert "One payment may be $46.99 at most." in refused.text
    assert 303 == taken.status_code


def test_a_cart_filled_by_many_presses_at_once_has_an_account_once_and_pays_it_once(city, ann):
    ann.get(PAY)

    answers = at_once(ann, 8, PAY, amount="45.50", act="cart")

    assert {303} == set(answers)
    assert [("01.1037.1", "", "45.50")] == in_cart(city)
    ann.get("/cart")
    check = follow(ann, ann.post("/cart", method="tok_ok"))
    ann.post(f"{check.url.path}/confirm")
    assert [("45.50", "succeeded")] == payments(city)
    assert "0.00" == owed(city)


def test_what_is_put_into_the_cart_by_two_presses_stands_there_once_and_later_again(city, ann):
    ann.get("/other/shelter")
    form = {"payor": "Ann", "amount": "7"}

    at_once(ann, 4, "/other/shelter", **form)
    once = in_cart(city)
    tomorrow = Browser(desk_of(later(city, minutes=1)), ann.cookies)
    tomorrow.send("/other/shelter", csrf=ann.token, **form)

    assert [("", "shelter", "7.00")] == once
    assert [("", "shelter", "7.00")] * 2 == in_cart(city)


def test_a_price_that_has_changed_is_neither_drafted_nor_taken(city, ann):
    ann.get("/other/copies")
    ann.post("/other/copies", payor="Ann", comment="deeds")
    ann.get("/cart")
    check = follow(ann, ann.post("/cart", method="tok_ok"))
    copies = DistributionSettings(
        code="copies", name="Copies", category="Clerk", amount="9.00", **ONLINE
    )
    dearer = OtherPaymentsSettings(allow=True, distributions=(copies,))
    after = Browser(desk_of(with_settings(city, other_payments=dearer)), ann.cookies)

    after.get(check.url.path)
    refused = follow(after, after.post(f"{check.url.path}/confirm"))
    after.get("/cart")
    again = after.post("/cart", method="tok_ok")

    for page in (refused, again):
        assert "What this costs has changed. Take it out and choose it again." in page.text
    assert 422 == again.status_code
    assert [] == payments(city)


def test_a_refusal_bears_the_longest_name_of_what_is_paid(city, ann):
    ann.get("/other/shelter")
    ann.post("/other/shelter", payor="Ann", amount="7")
    check = follow(ann, ann.post("/cart", method="tok_ok"))
    with city.database.writing() as books:
        from database.definitions.checkout import checkout_line

        books.execute(checkout_line.update().values(title="é" * 120))
    after = Browser(
        desk_of(with_settings(city, other_payments=OtherPaymentsSettings())), ann.cookies
    )

    after.get(check.url.path)
    page = follow(after, after.post(f"{check.url.path}/confirm"))

    assert "This cannot be paid here any more." in page.text


def test_a_guest_who_presses_twice_is_never_told_that_nothing_was_taken(city):
    few = city.settings.checkout.model_copy(update={"guest_attempts": 2})
    city = with_settings(city, checkout=few)
    guest = guest_of(city)
    answers = []
    for _ in range(3):
        guest.get("/guest/other/shelter")
        guest.post("/guest/other/shelter", payor="Ann", amount="7")
        guest.get("/guest/cart")
        sandbox = follow(guest, guest.post("/guest/cart", email="guest@home.example"))
        check = follow(guest, guest.post(sandbox.url.path, token="tok_ok"))
        answers.append(at_once(guest, 4, f"{check.url.path}/confirm"))
        answers.append([guest.send(f"{check.url.path}/confirm", csrf=guest.token).status_code])

    assert [[303] * 4, [303]] * 2 + [[429] * 4, [429]] == answers
    assert [("7.00", "succeeded")] * 2 == payments(city)


@pytest.mark.parametrize("is_guest", [False, True])
def test_before_the_first_close_nothing_is_paid_and_the_pages_say_so(tmp_path, database, is_guest):
    city = with_settings(an_office_with(tmp_path, database, is_closed=False), other_payments=OTHER)
    add_method(city, register(city), "tok_ok")
    base = "/guest" if is_guest else ""
    browser = guest_of(city) if is_guest else Browser(desk_of(city))
    if not is_guest:
        browser.sign_in()
    browser.get(f"{base}/other/shelter")
    browser.post(f"{base}/other/shelter", payor="Ann", amount="7")

    shown = browser.get(f"{base}/cart")
    asked = browser.post(f"{base}/cart", method="tok_ok", email="ann@home.example")

    assert (200, 422) == (shown.status_code, asked.status_code)
    assert "Nothing can be paid here before the first bills are out." in asked.text
    with city.database.reading() as books:
        assert 0 == books.scalar(sa.select(sa.func.count()).select_from(checkout))


@pytest.mark.parametrize("minutes", [-1, 1])
def test_a_yes_about_midnight_is_a_payment_of_the_utilitys_own_day(city, minutes):
    from database.tables import gateway_payment

    midnight = later(city, hours=15, minutes=minutes)  # it is nine in the morning there
    ann = Browser(desk_of(midnight))
    ann.sign_in()
    ann.get(PAY)
    check = follow(ann, ann.post(PAY, amount="45.50", method="tok_ok"))

    paid = follow(ann, ann.post(f"{check.url.path}/confirm"))

    day = city.clock.as_of.date() + timedelta(days=minutes > 0)
    with city.database.reading() as books:
        query = sa.select(gateway_payment.c.pay_on).where(
            gateway_payment.c.key.startswith("checkout/")
        )
        assert [day] == list(books.scalars(query))
    assert f"November {day.day}, {day.year}" in paid.text
