"""A communication is posted from the office's pages, and taken off."""

from __future__ import annotations

import html

import pytest
import sqlalchemy as sa

from database.tables import communication
from domain.identity import Role
from mail.letters.samples import sample_pdf
from tests.web.customers.conftest import URL
from tests.web.office.deciding_builders import decide_link, who_said

ADD = "/office/communications/add"
PDF = sample_pdf()


def post(browser, content: bytes = PDF, name: str = "leaves.pdf", csrf: str = "", **fields: str):
    browser.get(ADD)
    told = {"csrf": csrf or browser.token, "title": "Leaf pick-up"} | fields
    return browser.ask_with_files(ADD, told, {"file": (name, content, "application/pdf")})


def posted(office) -> list[str]:
    with office.database.reading() as books:
        return list(books.scalars(sa.select(communication.c.title)))


def test_a_clerk_posts_one_and_takes_it_off(office, signed_in):
    clerk = signed_in(Role.CLERK)

    answer = post(clerk, expires="2026-12-31")
    again = post(clerk, expires="2026-12-31")
    listed = clerk.get(answer.headers["location"]).text
    clerk.get(decide_link(listed, "Leaf pick-up"))
    removed = clerk.post("/office/communications/remove", key="1", reason="wrong month")

    assert [303, 303, 303] == [one.status_code for one in (answer, again, removed)]
    assert "The communication is posted; customers see it now." in listed
    assert ["Leaf pick-up"] == posted(office)
    assert "The communication is removed." in clerk.get(removed.headers["location"]).text
    assert ["clerk 1"] == who_said(office, "wrong month")
    assert [] == list((office.home / "uploads").iterdir())


def test_rule_107_what_is_posted_is_read_at_the_portals_own_address(office, signed_in):
    supervisor = signed_in(Role.SUPERVISOR)
    none = supervisor.get("/office/communications/write").text
    post(supervisor)

    offered = supervisor.get("/office/communications/write").text

    assert "None can be linked to: post one" in none
    assert '<option value="1">Leaf pick-up</option>' in offered
    assert "None can be linked to" not in offered
    assert f"{URL}/communications/1" == office.live_communications.link_to(1)
    assert 200 == supervisor.get("/communications/1").status_code


def test_rule_105_its_title_and_last_day_are_changed(office, signed_in):
    clerk = signed_in(Role.CLERK)
    listed = clerk.get(post(clerk, expires="2026-12-31").headers["location"]).text
    link = decide_link(listed, "Leaf pick-up")

    opened = clerk.get(link).text
    past = clerk.post(
        "/office/communications/change", key="1", title="Leaves", expires="2020-01-01"
    )
    done = clerk.post("/office/communications/change", key="1", title="Leaves", expires="")
    gone = clerk.get("/office/communications/change?key=2")

    assert 'value="Leaf pick-up"' in opened and 'value="2026-12-31"' in opened
    assert "/office/communications/remove?key=1" in opened
    assert (422, True) == (
        past.status_code,
        "is past" in past.text and 'value="Leaves"' in past.text,
    )
    assert "The communication is changed." in clerk.get(done.headers["location"]).text
    assert 404 == gone.status_code
    with office.database.reading() as books:
        title, last = books.execute(
            sa.select(communication.c.title, communication.c.expires_on)
        ).one()
    assert ("Leaves", None) == (title, last)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"title": " "}, "The title must be one line"),
        ({"expires": "31.12.2026"}, "31.12.2026 is no date such as 2026-12-31."),
        ({"expires": "2026-11-02"}, "The last day 2026-11-02 is past"),
        ({"link": "javascript:alert(1)"}, "is no web address; write it as https://"),
        ({"content": b"<script>"}, "leaves.pdf is not a PDF file"),
        ({"content": PDF[:200]}, "is cut off or damaged"),
        ({"content": b"", "name": ""}, "Choose the PDF to post."),
        ({"name": "../../etc/leaves.pdf", "content": b"no"}, "leaves.pdf is not a PDF file"),
    ],
)
def test_what_cannot_be_posted_is_said_and_nothing_is(office, signed_in, told, sentence):
    answer = post(signed_in(Role.CLERK), **told)

    said = html.unescape(answer.text)
    assert (422, True) == (answer.status_code, sentence in said), said[-900:]
    assert str(office.home) not in said
    assert [] == posted(office)


def test_nobody_posts_without_the_forms_token_or_without_leave(office, signed_in):
    forged = post(signed_in(Role.CLERK), csrf="wrong")
    looked = post(signed_in(Role.AUDITOR))

    assert (403, 403) == (forged.status_code, looked.status_code)
    assert [] == posted(office)
