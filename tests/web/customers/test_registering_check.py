"""Whoever registers shows first that a person sits there, where the office has it so (rule 68)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_user
from office.settings.checkout import BotCheckSettings
from tests.identity.bot_check.turnstile_service import turnstile_service
from tests.web.customers.conftest import Browser
from tests.web.customers.test_access import fields
from tests.web.customers.test_bot_check import ALTCHA, solved, turnstile_of
from web.customers.persons import MOST_WRONG
from web.desk import desk_of

CHECK = "/register/check"


@pytest.fixture(scope="module")
def service():
    with turnstile_service() as found:
        yield found


def asking(office, check):
    """An office that takes no guests and has registering browsers asked."""
    return replace(office, settings=office.settings.model_copy(update={"bot_check": check}))


def at_register(city, language="en"):
    """Go to register; return the browser with the page that it ends at."""
    browser = Browser(desk_of(city))
    answer = browser.get("/register", headers={"Accept-Language": language})
    while answer.status_code == 303:
        path = answer.headers["location"]
        answer = browser.get(path, headers={"Accept-Language": language})
    return browser


def users(office) -> int:
    with office.database.reading() as books:
        return books.scalar(sa.select(sa.func.count()).select_from(web_user)) or 0


def test_a_person_is_asked_once_and_then_registers(office):
    city = asking(office, ALTCHA)
    person = at_register(city)
    asked = person.page

    through = person.post(CHECK, altcha=solved(person))
    form = person.get("/register").text
    done = person.post("/register", **fields())

    assert (200, CHECK) == (asked.status_code, asked.url.path)
    assert "Before you register" in asked.text and 'type="password"' not in asked.text
    assert (303, "/register") == (through.status_code, through.headers["location"])
    assert "Confirm password" in form and 'name="website"' in form  # the trap stays
    assert (303, "/check-your-mail") == (done.status_code, done.headers["location"])
    assert 1 == users(office)


def test_a_program_that_sends_the_form_alone_registers_nobody(office):
    robot = at_register(asking(office, ALTCHA))

    with_cookie = robot.post("/register", **fields())
    without = Browser(robot.app).send("/register", **fields())

    assert f"{CHECK}?next=/register" == with_cookie.headers["location"]
    assert "/register?again" == without.headers["location"]
    assert 0 == users(office)


def test_an_answer_lets_one_browser_pass_and_a_wrong_one_none(office):
    city = asking(office, ALTCHA)
    person, thief = at_register(city), at_register(city)
    answer = solved(person)

    statuses = [one.post(CHECK, altcha=answer).status_code for one in (person, person, thief)]
    wrong = thief.post(CHECK, altcha="robot")

    assert [303, 303, 422] == statuses
    assert (422, True) == (wrong.status_code, "see that you are a person" in wrong.text)
    assert CHECK in thief.get("/register").headers["location"]


def test_wrong_answers_come_to_an_end(office):
    robot = at_register(asking(office, ALTCHA))
    right = solved(robot)
    for _ in range(MOST_WRONG):
        robot.send(CHECK, altcha="robot")

    assert 429 == robot.send(CHECK, altcha=right).status_code


def test_without_javascript_there_is_a_way_and_it_is_said_in_spanish_too(office):
    city = asking(office, ALTCHA)

    english, spanish = at_register(city).page.text, at_register(city, "es").page.text

    assert "<noscript>" in english
    assert "You can register without it, by a link that we mail to you." in english
    assert "Antes de registrarse" in spanish
    assert "con un enlace que le enviamos por correo" in spanish


def test_a_browser_that_takes_no_cookies_is_told_so(office):
    answer = Browser(desk_of(asking(office, ALTCHA))).get("/register?again")

    assert (400, "To register your browser must take cookies.") == (
        answer.status_code,
        answer.text,
    )


def test_no_script_of_anybody_elses_runs_where_a_password_is_typed(office, service):
    person = at_register(asking(office, turnstile_of(service)))
    check = person.page.headers["content-security-policy"]

    robot = person.post(CHECK, **{"cf-turnstile-response": "robot"})
    person.post(CHECK, **{"cf-turnstile-response": "person-9"})
    form = person.get("/register").headers["content-security-policy"]

    assert service.url in check
    assert 422 == robot.status_code
    assert service.url not in form and "script-src 'self';" in form


def test_while_turnstile_is_silent_nobody_registers_and_a_sentence_says_so(office):
    with turnstile_service() as gone:
        down = turnstile_of(gone)
    person = at_register(asking(office, down))

    answer = person.post(CHECK, **{"cf-turnstile-response": "person-2"})

    assert 503 == answer.status_code
    assert "does not answer now. Nothing was sent." in answer.text


def test_where_nothing_is_asked_registering_is_as_ever(office):
    browser = Browser(desk_of(asking(office, BotCheckSettings())))

    assert 200 == browser.get("/register").status_code
    assert "/register" == browser.get(CHECK).headers["location"]
    assert 303 == browser.post("/register", **fields()).status_code
