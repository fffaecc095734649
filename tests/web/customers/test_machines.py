"""Scripts that fill in every field, and addresses that nobody has: answered, and no more."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_attempt, web_user
from tests.web.customers.conftest import ANN, PASSWORD, URL, Browser, register
from tests.web.customers.test_access import count
from tests.web.customers.test_cart_pages import guest_of, with_settings
from web.desk import desk_of
from web.visits import TRAP

FORM = {"email": ANN, "password": PASSWORD, "again": PASSWORD}


def test_a_field_that_nobody_sees_catches_whoever_fills_in_all_of_them(office, browser):
    page = browser.get("/register").text
    caught = browser.send("/register", **FORM, **{TRAP: "https://spam.example"})
    users = count(office, web_user)
    person = browser.send("/register", **FORM, **{TRAP: ""})

    assert f'name="{TRAP}" tabindex="-1"' in page and 'aria-hidden="true"' in page
    assert caught.headers["location"] == person.headers["location"] == "/check-your-mail"
    assert (0, 1) == (users, count(office, web_user))


def test_a_script_finds_no_account_as_a_guest_and_none_is_closed_to_people_by_it(office):
    guest = guest_of(with_settings(office))
    asked = {"number": "01.1037.1", "proof": "Beltran"}

    caught = guest.post("/guest", **asked, **{TRAP: "x"})
    person = guest.post("/guest", **asked)

    assert (422, 200) == (caught.status_code, person.status_code)
    with office.database.reading() as books:
        assert [] == books.execute(sa.select(web_attempt).where(~web_attempt.c.good)).all()


@pytest.mark.parametrize("path", ["/nope", "/accounts", "/wp-admin/setup.php"])
def test_an_address_that_nobody_has_is_said_with_a_way_back_to_whoever_is_signed_in(office, path):
    register(office)
    ann = Browser(desk_of(office))
    stranger = ann.get(path)
    ann.sign_in()

    answer = ann.get(path)

    assert (404, 404) == (stranger.status_code, answer.status_code)
    assert "Go to your accounts" in answer.text and "Sign out" in answer.text
    assert "Sign out" not in stranger.text and URL not in stranger.text
