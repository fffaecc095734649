"""Guests show that a person sits there, before the pages on which they pay (rule 190)."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from pydantic import SecretStr, ValidationError

from domain.failures import Misuse
from identity.bot_check.port import BotQuestion
from office.settings.checkout import BotCheckSettings, CheckoutSettings
from tests.identity.bot_check.solving import solve
from tests.identity.bot_check.turnstile_service import SECRET, SITE_KEY, turnstile_service
from tests.web.customers.conftest import Browser
from web.customers.persons import MOST_WRONG
from web.desk import desk_of

CHECK = "/guest/check"
ALTCHA = BotCheckSettings(kind="altcha", work=1_000)


@pytest.fixture(scope="module")
def service():
    with turnstile_service() as found:
        yield found


def with_check(office, check):
    changed = {"checkout": CheckoutSettings(cart=True, guests=True), "bot_check": check}
    return replace(office, settings=office.settings.model_copy(update=changed))


def turnstile_of(service):
    return BotCheckSettings(
        kind="turnstile", site_key=SITE_KEY, secret=SecretStr(SECRET), url=service.url
    )


def guest_at(city, path="/guest"):
    """Come as a guest; return the browser with the page that it ends at."""
    browser = Browser(desk_of(city))
    answer = browser.get(path)
    while answer.status_code == 303:
        answer = browser.get(answer.headers["location"])
    return browser


def solved(browser):
    """Count as the page's script does."""
    found = re.findall(r'data-(\w+)="([^"]*)"', browser.page.text)
    return solve({name: html.unescape(value) for name, value in found})


def test_a_guest_is_asked_once_and_then_led_to_the_page_that_was_wished(office):
    guest = guest_at(with_check(office, ALTCHA), "/guest/cart")

    asked = guest.page.text
    answer = guest.post(CHECK, altcha=solved(guest), next="/guest/cart")

    assert "Who pays without signing in shows first that a person sits there" in asked
    assert "This check needs JavaScript" in asked  # and what to do without
    assert 'name="next" value="/guest/cart"' in asked
    assert (303, "/guest/cart") == (answer.status_code, answer.headers["location"])
    assert "There is nothing to pay here yet" in guest.get("/guest/cart").text


def test_where_nothing_is_asked_there_is_no_check(office):
    guest = guest_at(with_check(office, BotCheckSettings()))

    assert "Account number" in guest.page.text
    assert "/guest" == guest.get(CHECK).headers["location"]


@pytest.mark.parametrize("path", ["/guest", "/guest/cart", "/guest/payments/x/confirm"])
def test_no_form_does_anything_before(office, path):
    guest = guest_at(with_check(office, ALTCHA))

    answer = guest.post(path, number="01.1037.1", proof="Beltran")

    assert (303, f"{CHECK}?next={path}") == (answer.status_code, answer.headers["location"])


def test_an_answer_that_was_used_lets_nobody_else_pass_and_a_second_click_does_no_harm(office):
    city = with_check(office, ALTCHA)
    guest, other = guest_at(city), guest_at(city)
    answer = solved(guest)

    first = guest.post(CHECK, altcha=answer)
    again = guest.post(CHECK, altcha=answer)
    stolen = other.post(CHECK, altcha=answer)

    assert [303, 303, 422] == [one.status_code for one in (first, again, stolen)]
    assert "We could not see that you are a person" in stolen.text
    assert CHECK in other.get("/guest").headers["location"]


def test_a_browser_without_script_is_told_what_it_lacks(office):
    guest = guest_at(with_check(office, ALTCHA))

    answer = guest.post(CHECK, altcha="")

    assert 422 == answer.status_code
    assert "Your browser has to run JavaScript for it." in answer.text
    assert 'href="/sign-in"' in answer.text


def test_wrong_answers_come_to_an_end(office):
    guest = guest_at(with_check(office, ALTCHA))
    right = solved(guest)
    token = guest.token
    for _ in range(MOST_WRONG):
        guest.send(CHECK, csrf=token, altcha="robot")

    answer = guest.send(CHECK, csrf=token, altcha=right)

    assert 429 == answer.status_code
    assert "very often" in answer.text


@pytest.mark.parametrize(
    "wished", ["//evil.example", "https://evil.example", "/office", "/guest/check"]
)
def test_a_guest_is_led_to_pages_of_guests_alone(office, wished):
    guest = guest_at(with_check(office, ALTCHA))

    answer = guest.post(CHECK, altcha=solved(guest), next=wished)

    assert "/guest" == answer.headers["location"]


def test_turnstile_is_asked_and_its_page_loads_from_it_alone(office, service):
    guest = guest_at(with_check(office, turnstile_of(service)))
    policy = guest.page.headers["content-security-policy"]

    robot = guest.post(CHECK, **{"cf-turnstile-response": "robot"})
    person = guest.post(CHECK, **{"cf-turnstile-response": "person-1"})
    inside = guest.get("/guest").headers["content-security-policy"]

    assert f'data-sitekey="{SITE_KEY}"' in guest_page(office, service)
    assert f"script-src 'self' {service.url}; " in policy
    assert f"frame-src {service.url}; " in policy
    assert [422, 303] == [robot.status_code, person.status_code]
    assert service.url not in inside and "frame-src" not in inside


def guest_page(office, service):
    return guest_at(with_check(office, turnstile_of(service))).page.text


def test_a_page_that_asks_for_work_loads_nothing_from_elsewhere(office):
    policy = guest_at(with_check(office, ALTCHA)).page.headers["content-security-policy"]

    assert "script-src 'self'; " in policy and "frame-src" not in policy


def test_a_token_as_long_as_turnstile_makes_them_arrives_whole(office, service):
    guest = guest_at(with_check(office, turnstile_of(service)))
    token = "person-" + "x" * 2_041

    answer = guest.post(CHECK, **{"cf-turnstile-response": token})

    assert 303 == answer.status_code
    assert [token] == service.asked[-1]["response"]


def test_while_turnstile_is_silent_nobody_passes_and_a_sentence_says_what_to_do(office, service):
    with turnstile_service() as gone:
        down = turnstile_of(gone)
    guest = guest_at(with_check(office, down))

    answer = guest.post(CHECK, **{"cf-turnstile-response": "person-2"})

    assert 503 == answer.status_code
    assert "does not answer now. Nothing was taken." in answer.text
    assert CHECK in guest.get("/guest").headers["location"]


def test_turnstile_without_its_keys_is_one_sentence(office):
    with pytest.raises(ValidationError, match="needs site_key"):
        BotCheckSettings(kind="turnstile")
    without = with_check(office, BotCheckSettings(kind="turnstile", site_key=SITE_KEY))

    with pytest.raises(Misuse, match="BILLCLOSE_BOT_CHECK__SECRET"):
        assert isinstance(without.bot_check.ask(without.moment()), BotQuestion)
