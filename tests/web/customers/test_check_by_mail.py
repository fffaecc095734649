"""Who cannot run the bot check goes on from the mailbox: registering and paying as a guest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa

from database.definitions.identity import one_time_link, web_user
from database.tables import delivery
from domain.identity import LinkKind
from identity.bot_check.mailed import MOST_MAILS
from office.procedures.mailing.portal_mail import send_portal_mails
from office.settings.checkout import BotCheckSettings
from tests.web.customers.conftest import ANN, Browser
from tests.web.customers.test_access import fields
from tests.web.customers.test_bot_check import ALTCHA, with_check
from web.customers.persons_by_mail import MOST_ASKED
from web.desk import desk_of

PATHS = ["/register", "/guest"]


@pytest.fixture
def city(office):
    return with_check(office, ALTCHA)


def come(city, path: str, language: str = "en") -> Browser:
    """Come to a page without JavaScript, as far as the check leads."""
    browser = Browser(desk_of(city))
    answer = browser.get(path, headers={"Accept-Language": language})
    while answer.status_code == 303:
        path = answer.headers["location"]
        answer = browser.get(path, headers={"Accept-Language": language})
    return browser


def ask(browser: Browser, path: str, address: str = ANN, **more: str):
    browser.get(f"{path}/check/mail")
    return browser.post(f"{path}/check/mail", email=address, **more)


def links(city) -> list[str]:
    row = one_time_link.c
    with city.database.reading() as books:
        keys = sa.select(row.key).where(row.kind == LinkKind.PERSON, row.revoked_at.is_(None))
        return [city.link_tokens.token(key) for key in books.scalars(keys)]


def mails(city) -> int:
    with city.database.reading() as books:
        query = sa.select(sa.func.count()).select_from(delivery)
        return books.scalar(query.where(delivery.c.form == "access-person")) or 0


@pytest.mark.parametrize("path", PATHS)
def test_whoever_runs_no_script_goes_on_by_a_mailed_link(city, path):
    browser = come(city, path)
    asked = browser.page.text

    sent = ask(browser, path)
    told = browser.get(sent.headers["location"]).text
    (token,) = links(city)
    looked = [browser.get(f"/person/{token}"), browser.head(f"/person/{token}")]
    before = browser.get(path)
    pressed = browser.send(f"/person/{token}")

    assert "send me a link instead" in asked and "link that we mail to you" in asked
    assert (303, True) == (sent.status_code, "We sent a message" in told)
    assert [200, 200] == [one.status_code for one in looked]
    assert "/check" in before.headers["location"]  # looking lets nobody pass
    assert (303, path) == (pressed.status_code, pressed.headers["location"])
    assert 200 == browser.get(path).status_code


def test_it_then_registers_as_anybody(city):
    browser = come(city, "/register")
    ask(browser, "/register")
    browser.send(f"/person/{links(city)[0]}")
    browser.get("/register")

    answer = browser.post("/register", **fields())

    assert "/check-your-mail" == answer.headers["location"]
    with city.database.reading() as books:
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(web_user))


def test_the_link_lets_the_browser_pass_in_which_it_is_pressed_once(city):
    asked = come(city, "/register")
    ask(asked, "/register")
    (token,) = links(city)
    phone, thief = Browser(desk_of(city)), come(city, "/register")
    welcomed = phone.get(f"/person/{token}")
    phone.get(welcomed.headers["location"])

    pressed = phone.send(f"/person/{token}")
    again = thief.send(f"/person/{token}")

    assert f"/person/{token}?again" == welcomed.headers["location"]
    assert ("/register", 410) == (pressed.headers["location"], again.status_code)
    assert 200 == phone.get("/register").status_code
    assert [303, 303] == [one.get("/register").status_code for one in (asked, thief)]


def test_it_is_over_after_two_hours(city):
    ask(come(city, "/register"), "/register")
    (token,) = links(city)
    clock = replace(city.clock, as_of=city.clock.as_of + timedelta(hours=2, seconds=1))
    late = Browser(desk_of(replace(city, clock=clock)))

    assert 410 == late.get(f"/person/{token}").status_code


def test_a_mailbox_gets_three_a_day_and_the_answer_is_the_same(city):
    answers = [ask(come(city, "/register"), "/register") for _ in range(MOST_MAILS + 2)]

    assert {(303, "/register/check/mail?done=sent")} == {
        (one.status_code, one.headers["location"]) for one in answers
    }
    assert (MOST_MAILS, 1) == (mails(city), len(links(city)))  # the newest alone is good


def test_a_network_asks_for_ten_an_hour(city):
    browser = come(city, "/register")
    answers = [
        ask(browser, "/register", f"n{number}@x.example").status_code
        for number in range(MOST_ASKED + 1)
    ]

    assert [303] * MOST_ASKED + [429] == answers
    assert MOST_ASKED == mails(city)


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "x" * 400 + "@example.com"])
def test_what_is_no_address_is_said_and_nobody_is_mailed(city, address):
    answer = ask(come(city, "/guest"), "/guest", address)

    assert (422, True) == (answer.status_code, "in the form name@example.com" in answer.text)
    assert 0 == mails(city)


def test_a_program_that_fills_in_every_field_gets_no_mail(city):
    answer = ask(come(city, "/register"), "/register", website="https://spam.example")

    assert (422, 0) == (answer.status_code, mails(city))


@pytest.mark.parametrize("path", PATHS)
def test_where_nothing_is_asked_there_is_no_such_page(office, path):
    browser = come(with_check(office, BotCheckSettings()), path)

    answer = browser.get(f"{path}/check/mail")

    assert path == answer.headers["location"]


def test_without_cookies_it_is_said(city):
    ask(come(city, "/register"), "/register")
    (token,) = links(city)

    answer = Browser(desk_of(city)).get(f"/person/{token}?again")

    assert (400, True) == (answer.status_code, "must take cookies" in answer.text)


@pytest.mark.parametrize(
    ("language", "title", "ending"),
    [("en", "Go on at", "the customer portal"), ("es", "Continúe en", "el portal de clientes")],
)
def test_the_mail_is_in_the_language_of_the_page(city, language, title, ending):
    browser = come(city, "/register", language)
    browser.get("/register/check/mail", headers={"Accept-Language": language})
    browser._ask(
        "POST", "/register/check/mail", data={"csrf": browser.token, "email": ANN},
        headers={"Accept-Language": language},
    )  # fmt: skip
    send_portal_mails(city)

    (file,) = city.home.rglob("*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert f"{title} {ending}" == mail["Subject"]
    assert f"/person/{links(city)[0]}" in mail.get_body(("plain",)).get_content()
