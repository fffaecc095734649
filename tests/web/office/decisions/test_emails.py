"""Mails that wait for a person are decided about on their page, with a reason (rules 101, 102)."""

from __future__ import annotations

import html

import pytest
import sqlalchemy as sa

from database.tables import bounce, delivery, suppressed_address
from domain.bounces import BounceKind
from domain.deliveries import DeliveryStatus
from domain.identity import Role
from mail.outbox.queueing import queue_bills
from office.secrets.files import make_secret
from tests.mail.builders import NOW, RUN, a_run, deliveries, many_accounts
from tests.office.health_builders import an_office_at
from tests.web.office.conftest import TRIAL
from tests.web.office.deciding_builders import decide_link, who_said


@pytest.fixture
def office(tmp_path, books):
    """Four mails: one failed, one in doubt, one sent, one that waits."""
    make_secret(tmp_path)
    a_run(books)
    many_accounts(books, 4)
    queue_bills(books, RUN, now=NOW, message_domain="larkspur.example")
    with books.writing() as writing:
        for row, status in zip(deliveries(books), ("failed", "in-doubt", "sent"), strict=False):
            changed = delivery.update().where(delivery.c.key == row.key)
            writing.execute(changed.values(status=status, attempts=3, error="550 no"))
    return an_office_at(tmp_path, books, "2026-11-03T09:00", web=TRIAL)


def statuses_of(office) -> list[str]:
    return [str(row.status) for row in deliveries(office.database)]


def test_only_what_failed_or_is_in_doubt_can_be_decided(office, signed_in):
    page = signed_in(Role.CLERK).get("/office/emails").text

    assert 2 == page.count(">Decide</a>")


@pytest.mark.parametrize(
    ("at", "way", "status"),
    [(0, "again", "queued"), (1, "again", "queued"), (1, "arrived", "sent")],
)
def test_a_mail_is_sent_again_or_counts_as_sent(office, signed_in, at, way, status):
    clerk = signed_in(Role.CLERK)
    name = deliveries(office.database)[at].message_id
    clerk.get("/office/emails/decide", params={"key": name})

    answer = clerk.post("/office/emails/decide", key=name, way=way, reason="the log says so")

    assert 303 == answer.status_code
    assert 'role="status">The email ' in clerk.get(answer.headers["location"]).text
    assert status == statuses_of(office)[at]
    assert ["clerk 1"] == who_said(office, "the log says so")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"way": "again"}, "Say why: it is audited."),
        ({"reason": "the log says so"}, "Choose one."),
        ({"reason": "the log says so", "way": "burn"}, "Choose one."),
        ({"reason": "the log says so", "way": "arrived"}, "is failed, not in doubt"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_changes(office, signed_in, fields, sentence):
    clerk = signed_in(Role.CLERK)
    before = statuses_of(office)
    name = deliveries(office.database)[0].message_id
    clerk.get("/office/emails/decide", params={"key": name})

    answer = clerk.post("/office/emails/decide", key=name, **fields)

    assert (422, True) == (answer.status_code, sentence in html.unescape(answer.text))
    assert before == statuses_of(office)
    assert [] == who_said(office, "the log says so")


def test_a_mail_that_is_not_there_has_no_page(signed_in):
    clerk = signed_in(Role.CLERK)

    assert 404 == clerk.get("/office/emails/decide", params={"key": "<x@y>"}).status_code
    assert 404 == clerk.get("/office/emails/decide").status_code


def test_an_address_is_written_to_again(office, signed_in):
    clerk = signed_in(Role.CLERK)
    with office.database.writing() as books:
        gone = {"mailbox": "ann+b@example.org", "since": NOW, "reason": "5.1.1"}
        books.execute(suppressed_address.insert().values(**gone))
    page = clerk.get("/office/emails/suppressed").text
    asked = clerk.get(decide_link(page, "ann+b@example.org"))

    answer = clerk.post(
        "/office/emails/suppressed/decide", key="ann+b@example.org", reason="corrected"
    )

    assert ">Write it again</button>" not in asked.text
    assert ">Write to it again</button>" in asked.text
    assert "The address is written to again." in clerk.get(answer.headers["location"]).text
    with office.database.reading() as books:
        assert [] == books.execute(sa.select(suppressed_address)).all()


def test_a_bounce_that_nobody_could_judge_puts_the_bill_on_paper(office, signed_in):
    clerk = signed_in(Role.CLERK)
    of = deliveries(office.database)[2]
    with office.database.writing() as books:
        books.execute(
            bounce.insert().values(
                id="b" * 64, received_at=NOW, processed_at=NOW, delivery_key=of.key, action="",
                status="", diagnostic="", kind=BounceKind.UNKNOWN,
            )
        )  # fmt: skip
    clerk.get(decide_link(clerk.get("/office/emails/bounces").text, "unknown"))

    answer = clerk.post(
        "/office/emails/bounces/decide", key="b" * 64, way="failed", reason="I rang them"
    )

    assert 303 == answer.status_code
    assert DeliveryStatus.FAILED == statuses_of(office)[2]
    assert ">Decide</a>" not in clerk.get("/office/emails/bounces").text


def test_who_may_only_look_has_no_such_link(signed_in):
    auditor = signed_in(Role.AUDITOR)

    assert ">Decide</a>" not in auditor.get("/office/emails").text
    assert 403 == auditor.get("/office/emails/decide").status_code
