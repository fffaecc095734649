"""The six digits of a verification mail, for where its link cannot be opened."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.definitions.identity import one_time_link, web_user
from database.tables import delivery
from domain.identity import UserState
from mail.outbox.deliveries import COLUMNS, Delivery
from mail.rendering.access import to_access_letter
from office.equipment.mail import to_portal_links
from tests.web.customers.conftest import ANN, PASSWORD, newest_link, register
from web.customers.access import WRONG_CODE


def a_code(office, browser) -> str:
    browser.send("/register", email=ANN, password=PASSWORD, again=PASSWORD)
    with office.database.reading() as books:
        return office.link_tokens.code(books.scalar(sa.select(one_time_link.c.key)))


def state(office) -> UserState:
    with office.database.reading() as books:
        return books.scalar(sa.select(web_user.c.state))


@pytest.mark.parametrize("write", [str, "{0:.3} {0:3.6}".format, "  {}\u2009".format])
def test_six_digits_verify_an_address_once_however_they_are_typed(office, browser, write):
    code = a_code(office, browser)
    typed = f"{code[:3]} {code[3:]}" if write is not str else code

    first = browser.send("/verify", email=ANN.upper(), code=typed)
    second = browser.send("/verify", email=ANN, code=typed)

    assert "/sign-in?done=verified" == first.headers["location"]
    assert UserState.ACTIVE == state(office)
    assert 422 == second.status_code


def test_the_link_is_used_up_by_its_code(office, browser):
    code, token = a_code(office, browser), newest_link(office)
    browser.send("/verify", email=ANN, code=code)

    assert "/sign-in" == browser.get(f"/verify/{token}").headers["location"]


def test_the_fifth_wrong_code_ends_the_right_one_and_its_link(office, browser):
    code, token = a_code(office, browser), newest_link(office)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        answer = browser.send("/verify", email=ANN, code=wrong)

    assert 422 == answer.status_code and WRONG_CODE in answer.text
    assert 422 == browser.send("/verify", email=ANN, code=code).status_code
    assert 410 == browser.get(f"/verify/{token}").status_code
    assert UserState.UNVERIFIED == state(office)


def test_an_unknown_address_is_answered_like_a_wrong_code(office, browser):
    a_code(office, browser)
    known = browser.send("/verify", email=ANN, code="000000")
    unknown = browser.send("/verify", email="nobody@portal.example", code="000000")

    assert known.status_code == unknown.status_code
    assert known.text == unknown.text.replace("nobody@portal.example", ANN)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥"])
def test_what_is_no_code_is_asked_again(office, browser, code):
    answer = browser.send("/verify", email=ANN, code=code)

    assert 422 == answer.status_code
    assert "Enter the six digits that stand in our message." in answer.text


def test_the_code_stands_in_the_mail_and_its_page_uses_nothing_up(office, browser):
    code = a_code(office, browser)
    browser.get("/verify")
    browser.head("/verify")

    assert UserState.UNVERIFIED == state(office)
    assert 'autocomplete="one-time-code"' in browser.get("/verify").text
    assert (
        "/sign-in?done=verified"
        == browser.send("/verify", email=ANN, code=code).headers["location"]
    )


@pytest.mark.parametrize(("path", "promises"), [("/register", True), ("/forgot", False)])
def test_only_a_mail_whose_code_is_asked_for_promises_one(office, browser, path, promises):
    if path == "/forgot":
        register(office, ANN)
    browser.send(path, email=ANN, password=PASSWORD, again=PASSWORD)
    with office.database.reading() as books:
        query = sa.select(*COLUMNS)
        (row,) = books.execute(query.where(delivery.c.kind == "access"))

    letter = to_access_letter(office.database, Delivery(*row), to_portal_links(office), "en")

    assert promises == bool(letter.code)
