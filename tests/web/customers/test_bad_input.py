"""What people really type, by the kinds of faults that other portals were reported for."""

from __future__ import annotations

import shutil

import pytest
import sqlalchemy as sa

from database.books import Database
from database.definitions.identity import account_link, web_user
from domain.identity import mailbox_of
from office.secrets.files import make_secret
from office.settings.close import WebSettings
from tests.builders import a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web.customers.conftest import ANN, PASSWORD, URL, Browser, register
from web.customers.linking import NO_ACCOUNT, TOO_MANY
from web.desk import desk_of

KEY = "0110371"


def a_town(tmp_path, empty_sqlite, last_name: str):
    shutil.copy(empty_sqlite, tmp_path / "billclose.db")
    books = Database(f"sqlite:///{tmp_path / 'billclose.db'}")
    make_secret(tmp_path)
    stage_run(books, a_household("01.1037.1", name=last_name, last_name=last_name))
    close_run(books)
    office = an_office_at(tmp_path, books, "2026-11-03T09:00", web=WebSettings(url=URL))
    register(office, ANN)
    ann = Browser(desk_of(office))
    ann.sign_in(ANN)
    return office, ann, books


def links(office) -> list[str]:
    with office.database.reading() as books:
        return list(books.scalars(sa.select(account_link.c.account_key)))


@pytest.mark.parametrize(
    ("stands", "typed"),
    [
        ("O'DELL", "o’dell"),
        ("GARCIA LOPEZ", "García-López"),
        ("Müller", "Mu\u0308ller"),
        ("SMITH, JR.", "Smith"),
        ("NGUYEN", "Nguyễn"),
        ("ACME PLUMBING LLC", "acme plumbing llc"),
    ],
)
def test_a_last_name_links_however_people_write_it(tmp_path, empty_sqlite, stands, typed):
    office, ann, books = a_town(tmp_path, empty_sqlite, stands)
    ann.get("/link")
    answer = ann.post("/link", number="01 1037-1", proof=typed)

    assert (303, [KEY]) == (answer.status_code, links(office))
    books.close()


@pytest.mark.parametrize("typed", ["N/A", "x", "-", "Smith", "0.00", "'; --", "<b>BELTRAN</b>x"])
def test_what_is_neither_name_nor_amount_links_nothing_and_says_what_to_check(office, app, typed):
    register(office, ANN)
    ann = Browser(app)
    ann.sign_in(ANN)
    ann.get("/link")
    answer = ann.post("/link", number="01.1037.1", proof=typed)

    assert (422, []) == (answer.status_code, links(office))
    assert NO_ACCOUNT in answer.text.replace("&#39;", "'")


def test_who_tried_too_often_is_told_when_and_whom_to_call(office, app):
    register(office, ANN)
    ann = Browser(app)
    ann.sign_in(ANN)
    ann.get("/link")
    token = ann.token
    for _ in range(5):
        ann.send("/link", csrf=token, number="01.1037.1", proof="wrong")
    answer = ann.send("/link", csrf=token, number="01.1037.1", proof="Beltran")

    assert (422, []) == (answer.status_code, links(office))
    assert TOO_MANY in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "Ana.O'Dell+water@Example.org",
        "ana@bücher.example.org",
        "ana_1-2@sub.example.org",
    ],
)
def test_an_address_registers_and_signs_in_in_any_case(office, browser, address):
    browser.send("/register", email=f" {address} ", password=PASSWORD, again=PASSWORD)
    with office.database.writing() as books:
        (mailbox,) = books.scalars(sa.select(web_user.c.mailbox))
        books.execute(web_user.update().values(state="active"))
    answer = browser.sign_in(f"{address.upper()} ")

    assert mailbox_of(address) == mailbox
    assert "/" == answer.headers["location"]


@pytest.mark.parametrize(
    "address", ["ana@example.org.", "ana@@example.org", "ana@example", "a b@c.org"]
)
def test_an_address_that_cannot_be_written_to_is_asked_again(office, browser, address):
    answer = browser.send("/register", email=address, password=PASSWORD, again=PASSWORD)

    assert 422 == answer.status_code
    assert "Enter an e-mail address in the form name@example.com." in answer.text


def test_a_code_is_typed_into_one_field_that_cuts_nothing(browser):
    page = browser.get("/verify").text

    assert 1 == page.count('name="code"') and "maxlength" not in page
    assert 'inputmode="numeric"' in page


@pytest.mark.parametrize(
    "path",
    ["/accounts/%00/bill", "/accounts/'%20OR%201=1/bill", "/payments/../../etc/passwd",
     "/bills/usage?page=%F0%9F%92%A9&service=%00", "/usage?account=%0d%0aSet-Cookie:x"],
)  # fmt: skip
def test_an_address_made_up_by_hand_is_answered_and_fails_nothing(office, app, path):
    register(office, ANN, accounts=(KEY,))
    ann = Browser(app)
    ann.sign_in(ANN)

    answer = ann.get(path)

    assert answer.status_code in (200, 303, 404)
    assert "x" != answer.headers.get("set-cookie")
