"""One text to many phones, from a page: looked at, tried, counted, recorded, taken back."""

from __future__ import annotations

import html

import pytest
import sqlalchemy as sa

from database.definitions.texts import mass_text
from domain.identity import LinkProof, Role, UserState
from identity.account_links import add_link
from identity.users import make_user
from mail.texts.consents import agree
from tests.builders import NOW
from tests.web.office.deciding_builders import decide_link, who_said

FORM, LISTED = "/office/communications/text", "/office/communications/texts"


@pytest.fixture
def reader(office):
    """Ann has agreed to texts with news in them."""
    with office.database.writing() as books:
        user = make_user(books, "ann@portal.example", NOW, UserState.ACTIVE, phone="4355550101")
        add_link(books, user, "0110011", LinkProof.NAME, NOW, "the customer")
        agree(books, user, "+14355550101", "I agree.", NOW, news=True)
    return user


def typed(browser, path: str = FORM, **told: str):
    browser.get(FORM)
    fields = {"words": "Water is off on Friday.", "audience": "customers"} | told
    return browser.post(path, **fields)


def recorded(office) -> list[tuple[str, str, int]]:
    rows = mass_text.c
    with office.database.reading() as books:
        query = sa.select(rows.words, rows.recorded_by, rows.phones)
        return [tuple(row) for row in books.execute(query)]


def test_it_is_shown_and_counted_before_anything_is_recorded(office, signed_in, reader):
    page = html.unescape(typed(signed_in(Role.SUPERVISOR), words_es="El viernes no hay agua.").text)

    assert "Water is off on Friday. Reply STOP to end texts." in page
    assert "El viernes no hay agua. Responda STOP" in page
    assert "<strong>1</strong> phone, 1 segment" in page
    assert "What a segment costs is not set" in page
    assert [] == recorded(office)


def test_the_typed_count_records_it_and_it_is_taken_back(office, signed_in, reader):
    browser = signed_in(Role.SUPERVISOR)

    wrong = typed(browser, f"{FORM}/send", count="2")
    none_yet = recorded(office)
    sent = typed(browser, f"{FORM}/send", count="1")
    listed = browser.get(sent.headers["location"]).text
    browser.get(decide_link(listed, "Water is off on Friday."))
    back = browser.post(f"{LISTED}/take-back", key="1", reason="it is Thursday")

    assert (422, []) == (wrong.status_code, none_yet)
    assert "1 phone would be texted, not 2; nothing was sent." in wrong.text
    assert [("Water is off on Friday.", "supervisor 1", 1)] == recorded(office)
    assert "The text is recorded for every phone" in listed
    assert (303, ["supervisor 1"]) == (back.status_code, who_said(office, "it is Thursday"))
    assert "take-back?" not in browser.get(LISTED).text


def test_a_test_goes_to_the_typed_phone_alone(office, signed_in, reader):
    browser = signed_in(Role.ADMIN)

    wrong = typed(browser, f"{FORM}/test", phone="12")
    good = typed(browser, f"{FORM}/test", phone="435-555-0166")

    assert (422, 200, []) == (wrong.status_code, good.status_code, recorded(office))
    assert "The test text is sent to that phone." in good.text
    files = list((office.home / "texts").glob("*.txt"))
    assert ["+14355550166"] == [file.read_text("utf-8").split("\n")[0] for file in files]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"words": "  "}, "Write what the text says."),
        ({"audience": "accounts"}, "Write the conditions or the accounts, one a line."),
        ({"words": "x" * 900}, "Shorten it, or write a mail."),
        ({"audience": "where", "values": "color=blue"}, "write COLUMN=VALUE with one of"),
    ],
)
def test_what_cannot_be_sent_is_said_and_stays_typed(office, signed_in, told, sentence):
    answer = typed(signed_in(Role.ADMIN), **told)

    assert (422, True) == (answer.status_code, sentence in html.unescape(answer.text))
    assert [] == recorded(office)


def test_nobody_to_text_offers_no_way_to_send(signed_in):
    page = typed(signed_in(Role.ADMIN)).text

    assert (True, False) == ("<strong>0</strong> phones" in page, f'action="{FORM}/send"' in page)
