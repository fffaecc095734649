"""The office's own sentences on the portal: written in two languages, seen by customers at once."""

from __future__ import annotations

import html
import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import Role
from tests.web.customers.conftest import Browser
from tests.web.office.deciding_builders import who_said
from web.words import to_markup

MESSAGES = "/office/communications/messages"


def fields_of(page) -> dict[str, str]:
    hidden = dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', page.text))
    typed = dict(
        re.findall(r'<input id="[^"]*" name="([\w.]+)" lang="\w+" value="([^"]*)"', page.text)
    )
    areas = re.findall(
        r'<textarea[^>]* name="([\w.]+)"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL
    )
    return {name: html.unescape(text) for name, text in (*hidden.items(), *typed.items(), *areas)}


def write(browser, **texts: str):
    opened = browser.get(MESSAGES)
    assert 200 == opened.status_code, opened.text
    return browser.send(MESSAGES, **(fields_of(opened) | texts))


def test_customers_read_a_message_in_their_language_or_else_in_english(signed_in, desk, office):
    saved = write(
        signed_in(Role.SUPERVISOR),
        **{
            "login_top.en": "Pay **before** the [fifth](https://larkspur.example/pay).",
            "login_bottom.en": "Closed on Friday.",
            "login_top.es": "Pague antes del cinco.",
        },
    )
    english = Browser(desk).get("/sign-in").text
    spanish = Browser(desk).get("/sign-in", headers={"accept-language": "es"}).text

    assert 303 == saved.status_code, saved.text
    assert 'Pay <strong>before</strong> the <a href="https://larkspur.example/pay">fifth</a>.' in (
        english
    )
    assert "Pague antes del cinco." in spanish and "Pay <strong>" not in spanish
    assert "Closed on Friday." in spanish
    assert ["supervisor 1"] * 3 == who_said(office, "default ->")


@pytest.mark.parametrize(
    "text",
    [
        "See [this](javascript:alert%281%29)",
        "See [this](http://plain.example)",
        "See [this](//evil.example)",
        "x" * 2_001,
    ],
)
def test_what_may_not_stand_in_a_message_is_said_beside_it_and_not_kept(signed_in, office, text):
    answer = write(signed_in(Role.SUPERVISOR), **{"landing.es": text})
    kept = tomllib.loads((office.home / "billclose.toml").read_text())

    assert 422 == answer.status_code
    assert 'id="landing.es-error"' in answer.text
    assert "messages_es" not in kept


def test_two_people_at_once_overwrite_nothing(signed_in, office):
    first, second = signed_in(Role.ADMIN), signed_in(Role.SUPERVISOR)
    form = fields_of(second.get(MESSAGES))
    write(first, **{"cart.en": "One payment for all."})

    answer = second.send(MESSAGES, **(form | {"cart.es": "Un pago."}))

    assert 422 == answer.status_code
    assert "Somebody else has changed" in answer.text


def test_who_may_only_look_sees_the_messages_and_no_button(signed_in):
    page = signed_in(Role.AUDITOR).get(MESSAGES)

    assert 200 == page.status_code
    assert ">Save</button>" not in page.text


@given(st.text(max_size=200))
def test_no_message_ever_writes_a_tag_of_its_own(text):
    told = str(to_markup(text))

    tags = re.findall(r"<[^>]*>", told)
    assert set() == set(tags) - {"<strong>", "</strong>", "<em>", "</em>", "<br>", "</a>"} - {
        tag for tag in tags if re.fullmatch(r'<a href="(https://|/)[^"<>]*">', tag)
    }


@given(st.text(st.sampled_from('[]()*"<>&\n /\\abhtps:'), max_size=60))
def test_marks_in_any_order_write_no_tag_that_is_not_ours(text):
    told = str(to_markup(text))

    without = re.sub(r'</?(strong|em)>|<br>|</a>|<a href="(https://|/(?![/\\]))[^"<>]*">', "", told)
    assert "<" not in without and ">" not in without
