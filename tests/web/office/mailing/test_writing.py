"""One text to many customers, from a page: looked at, tried on oneself, counted, sent."""

from __future__ import annotations

import html
import json
import re
from email import message_from_bytes

import pytest
import sqlalchemy as sa

from database.definitions.desk import desk_work
from database.tables import audit, mass_mailing
from domain.desk_work import WorkState
from domain.identity import Role
from tests.flows.desk import at_server
from tests.flows.fixtures import server
from web.office.begun import close_work

__all__ = ["server"]
WRITE = "/office/communications/write"
BODY = "Dear customer,\n\nwater is off on Friday."


def written(browser, path: str = WRITE, **told: str):
    browser.get(WRITE)
    fields = {"subject": "No water", "body": BODY, "audience": "customers"} | told
    return browser.post(path, **fields)


def count_of(office, table) -> int:
    with office.database.reading() as books:
        return books.scalar(sa.select(sa.func.count()).select_from(table))


def test_it_is_shown_and_counted_before_anything_is_recorded(signed_in, office, begun):
    page = written(signed_in(Role.SUPERVISOR)).text

    assert "water is off on Friday." in page
    assert "To all customers: <strong>2</strong> mailboxes." in page
    assert "Left out 1: accounts without an e-mail address" in page
    assert (0, []) == (count_of(office, mass_mailing), begun)


@pytest.mark.parametrize("typed", ["", "3", "1", "two", "-2"])
def test_another_count_sends_nothing(signed_in, office, begun, typed):
    answer = written(signed_in(Role.ADMIN), f"{WRITE}/send", count=typed)

    assert (422, True) == (answer.status_code, "2 mailboxes would be written to" in answer.text)
    assert BODY in html.unescape(answer.text)
    assert (0, []) == (count_of(office, mass_mailing), begun)


def test_the_typed_count_records_it_once_and_begins_to_send_in_the_persons_name(
    signed_in, office, begun
):
    browser = signed_in(Role.SUPERVISOR)

    first = written(browser, f"{WRITE}/send", count="2")
    second = written(browser, f"{WRITE}/send", count="2")

    assert [f"{WRITE}/1"] * 2 == [first.headers["location"], second.headers["location"]]
    assert (1, 1) == (count_of(office, mass_mailing), len(begun))
    with office.database.reading() as books:
        row = books.execute(sa.select(desk_work)).one()
        acts = books.execute(
            sa.select(audit.c.who).where(audit.c.action == "begin mass-mail")
        ).all()
    assert ("supervisor 1", {"mailing": 1, "count": 2}) == (row.who, json.loads(row.asked))
    assert [("supervisor 1",)] == [tuple(act) for act in acts]
    assert "It is being sent, begun by supervisor 1." in browser.get(f"{WRITE}/1").text


def test_a_test_goes_to_whoever_is_signed_in_and_to_nobody_else(signed_in, office, begun):
    answer = written(signed_in(Role.ADMIN), f"{WRITE}/test", to="ann@a.example")

    mails = [message_from_bytes(file.read_bytes()) for file in office.home.rglob("*.eml")]
    assert (200, True) == (answer.status_code, "sent to your own mailbox" in answer.text)
    assert [["admin@larkspur.example"]] == [mail.get_all("To") for mail in mails]
    assert "test" in mails[0]["Subject"].lower()
    assert (0, []) == (count_of(office, mass_mailing), begun)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"subject": ""}, "subject"),
        ({"body": " "}, "text"),
        ({"audience": "addresses", "values": "me@else.example"}, "Choose whom it goes to."),
        ({"audience": "where"}, "Write the conditions or the accounts"),
        ({"audience": "where", "values": "shoe=42"}, "write COLUMN=VALUE"),
        ({"audience": "accounts", "values": "99.9999.9"}, "99.9999.9"),
        ({"values": "zip=84840"}, "empty the field"),
        ({"communication": "7"}, "Communication 7 is not live"),
    ],
)
def test_what_could_not_be_sent_is_said_and_what_was_typed_stays(signed_in, office, told, sentence):
    answer = written(signed_in(Role.ADMIN), **told)

    assert 422 == answer.status_code
    summary = re.search(r'class="summary".*?</div>', answer.text, re.DOTALL)[0]
    assert sentence in html.unescape(summary)
    assert told.get("body", BODY).strip() in html.unescape(answer.text)


@pytest.mark.parametrize("role", [Role.CLERK, Role.CSR, Role.AUDITOR])
def test_who_may_not_write_to_many_does_not(signed_in, role):
    browser = signed_in(role)

    assert 403 == browser.get(WRITE).status_code
    assert 403 == browser.send(f"{WRITE}/send").status_code
    assert WRITE not in browser.get("/office/communications/mailings").text


def test_it_is_sent_by_a_process_and_stands_on_its_page(
    signed_in, office, begun, server, monkeypatch
):
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    browser = signed_in(Role.SUPERVISOR)
    written(browser, f"{WRITE}/send", count="2")

    with at_server(server.running.api_url):
        close_work.perform(office, begun.pop()[1].partition("/")[0])
    with office.database.reading() as books:
        state = books.scalar(sa.select(desk_work.c.state))
    listed = browser.get("/office/communications/mailings").text
    page = browser.get(re.search(rf'href="({WRITE}/\d+)">Open<', listed)[1]).text

    assert WorkState.DONE is state
    assert "<dt>Sent</dt><dd>2</dd>" in page and ">Go on<" not in page
