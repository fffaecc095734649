"""Forms that anybody may send keep robots out (rule 68)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_user
from database.tables import delivery
from tests.web.customers.test_access import fields
from tests.web.customers.test_cart_pages import city, guest_of

__all__ = ["city"]
SAID = "This form was filled in as programs do it"
GUESTS_FORMS = {
    "/guest": {"number": "01.1037.1", "proof": "Beltran"},
    "/guest/other/shelter": {"payor": "Gus", "amount": "7"},
}


def test_who_fills_in_what_nobody_sees_registers_nobody(office, browser):
    page = browser.get("/register").text
    answer = browser.send("/register", **fields(), website="https://buy.example")

    assert (422, True) == (answer.status_code, SAID in answer.text)
    assert 'aria-hidden="true"><label for="website">' in page and 'tabindex="-1"' in page
    for table in (web_user, delivery):
        with office.database.reading() as books:
            assert 0 == books.scalar(sa.select(sa.func.count()).select_from(table))


@pytest.mark.parametrize("path", GUESTS_FORMS)
def test_as_a_guest_it_finds_and_pays_nothing(city, path):
    guest = guest_of(city)
    page = guest.get(path).text
    answer = guest.post(path, **GUESTS_FORMS[path], website="x")

    assert 'name="website"' in page
    assert (422, True) == (answer.status_code, SAID in answer.text)
    assert "$45.50" not in answer.text
    assert "There is nothing to pay here yet" in guest.get("/guest/cart").text


def test_a_guests_cart_is_not_taken_to_the_gateway_for_it(city):
    guest = guest_of(city)
    guest.get("/guest/other/shelter")
    guest.post("/guest/other/shelter", **GUESTS_FORMS["/guest/other/shelter"])
    page = guest.get("/guest/cart").text
    answer = guest.post("/guest/cart", email="gus@home.example", website="x")

    assert 'name="website"' in page
    assert (422, True) == (answer.status_code, SAID in answer.text)


def test_whoever_leaves_it_empty_is_let_through(office, browser):
    answer = browser.send("/register", **fields(), website="")

    assert "/check-your-mail" == answer.headers["location"]
