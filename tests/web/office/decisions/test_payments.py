"""Payments in doubt are decided about, payments given back, differences settled, on their pages."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from database.tables import draw
from domain.failures import OutcomeUnknown
from domain.identity import Role
from domain.money import Money
from domain.payments import DrawState, PaymentState
from office.secrets.files import make_secret
from payments.outcomes.settlements import read_settlements
from tests.office.health_builders import an_office_at
from tests.payments.collecting.test_crashes import Gateway, fails
from tests.payments.collecting_builders import a_collector, paying
from tests.web.office.conftest import TRIAL
from tests.web.office.deciding_builders import decide_link, who_said


@pytest.fixture
def collector(tmp_path, books):
    make_secret(tmp_path)
    return a_collector(books, tmp_path, paying("1"))


@pytest.fixture
def office(tmp_path, books, collector):
    return an_office_at(tmp_path, books, "2026-11-30T09:00", web=TRIAL)


def test_a_payment_in_doubt_is_decided_as_both_sides_are_asked(office, collector, signed_in):
    collector.collect(gateway=Gateway(collector.gateway, confirm=fails(OutcomeUnknown("none"))))
    collector.wait(days=2)
    clerk = signed_in(Role.CLERK)
    page = clerk.get("/office/payments/unknown").text
    asked = clerk.get(decide_link(page, "autopay/2026-10/1/1"))

    answer = clerk.post(
        "/office/payments/unknown/decide",
        key="autopay/2026-10/1/1",
        way="never",
        reason="the bank has none",
    )

    shown = html.unescape(asked.text)
    assert "<dt>The gateway says</dt>" in shown
    assert "<dt>Cash receipting has</dt><dd>none</dd>" in shown
    assert 303 == answer.status_code
    assert "It counts as never drawn" in clerk.get(answer.headers["location"]).text
    with office.database.reading() as books:
        assert [DrawState.ASKED] != list(books.scalars(sa.select(draw.c.state)))
    assert ["clerk 1"] == who_said(office, "the bank has none")


def test_a_confirmation_number_is_needed_for_one_that_was_drawn(collector, signed_in):
    collector.collect(gateway=Gateway(collector.gateway, confirm=fails(OutcomeUnknown("none"))))
    clerk = signed_in(Role.CLERK)
    key = "autopay/2026-10/1/1"
    clerk.get("/office/payments/unknown/decide", params={"key": key})

    answer = clerk.post(
        "/office/payments/unknown/decide", key=key, way="approved", reason="on the statement"
    )

    assert 422 == answer.status_code
    assert "Confirmation number is needed for that." in answer.text


@pytest.mark.parametrize(
    ("amount", "state"),
    [("", PaymentState.RETURNED), ("30.00", PaymentState.RETURNED_IN_PART)],
)
def test_a_supervisor_gives_a_payment_back(office, collector, signed_in, amount, state):
    collector.collect()
    supervisor = signed_in(Role.SUPERVISOR)
    link = decide_link(supervisor.get("/office/payments/completed").text, "80.00")
    number = link.partition("key=")[2]
    supervisor.get(link)

    answer = supervisor.post(
        "/office/payments/completed/refund", key=number, detail=amount, reason="paid twice"
    )

    assert 303 == answer.status_code
    assert "is given back" in supervisor.get(answer.headers["location"]).text
    with office.database.reading() as books:
        states = list(books.scalars(sa.text("SELECT state FROM gateway_payment")))
    assert [state.value] == states


def test_no_more_is_given_back_than_was_taken(collector, signed_in):
    collector.collect()
    supervisor = signed_in(Role.SUPERVISOR)
    link = decide_link(supervisor.get("/office/payments/completed").text, "80.00")
    supervisor.get(link)

    for amount, sentence in (("80.01", "80.00"), ("a lot", "is no amount such as 40.00")):
        answer = supervisor.post(
            "/office/payments/completed/refund",
            key=link.partition("key=")[2],
            detail=amount,
            reason="paid twice",
        )
        assert (422, True) == (answer.status_code, sentence in html.unescape(answer.text))


def test_the_same_part_is_given_back_again_for_another_reason_alone(office, collector, signed_in):
    collector.collect()
    supervisor = signed_in(Role.SUPERVISOR)
    link = decide_link(supervisor.get("/office/payments/completed").text, "80.00")
    supervisor.get(link)

    answers = [
        supervisor.post(
            "/office/payments/completed/refund",
            key=link.partition("key=")[2],
            detail="30.00",
            reason=reason,
        )
        for reason in ("paid twice", "paid twice", "the fee as well")
    ]

    assert [303, 422, 303] == [answer.status_code for answer in answers]
    assert "$30.00" in html.unescape(answers[1].text)
    assert "was given back for this reason already" in html.unescape(answers[1].text)
    with office.database.reading() as books:
        given = list(books.scalars(sa.text("SELECT amount FROM refund_request")))
    assert [30_00, 30_00] == given


def test_a_clerk_gives_nothing_back(collector, signed_in):
    collector.collect()
    clerk = signed_in(Role.CLERK)

    assert ">Refund</a>" not in clerk.get("/office/payments/completed").text
    assert 403 == clerk.get("/office/payments/completed/refund").status_code


def test_a_difference_is_settled_with_a_reason(office, collector, signed_in):
    collector.collect()
    with office.database.writing() as books:
        books.execute(draw.update().values(amount=Money.parse("79.00")))
    collector.wait(days=10)
    read_settlements(office.database, collector.gateway, collector.at, "anna")
    clerk = signed_in(Role.CLERK)
    page = clerk.get("/office/deposits/differences").text
    (item,) = re.findall(r'name="item" value="([^"]+)"', page)

    unsaid = clerk.post("/office/deposits/differences/settle", item=item)
    nothing = clerk.post("/office/deposits/differences/settle", reason="the bank rang")
    other = clerk.post("/office/deposits/differences/settle", item="x", reason="the bank rang")
    settled = clerk.post("/office/deposits/differences/settle", item=item, reason="the bank rang")

    assert "Say how it was settled" in unsaid.text
    assert "Choose the item that is settled." in nothing.text
    assert "No difference x is open" in other.text
    assert [422, 422, 422, 303] == [one.status_code for one in (unsaid, nothing, other, settled)]
    assert "Nothing differs." in clerk.get(settled.headers["location"]).text
    assert ["clerk 1"] == who_said(office, "the bank rang")


def test_staff_end_autopay_for_a_customer_who_asks_rule_66(office, signed_in):
    clerk = signed_in(Role.CLERK)
    link = decide_link(clerk.get("/office/autopay").text, "4242")
    asked = clerk.get(link)

    unsaid = clerk.post("/office/autopay/end", key="1")
    ended = clerk.post("/office/autopay/end", key="1", reason="asked on the phone")

    assert "<dt>What follows</dt>" in asked.text
    assert (422, 303) == (unsaid.status_code, ended.status_code)
    assert "Autopay is ended;" in clerk.get(ended.headers["location"]).text
    assert ["clerk 1"] == who_said(office, "asked on the phone")
    with office.database.reading() as books:
        states = list(books.scalars(sa.text("SELECT state FROM gateway_payment")))
    assert [PaymentState.CANCELLED.value] == states
