"""Bills that are too large for a mail: on paper, or as a link."""

from __future__ import annotations

import os
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from database.tables import bill, delivery_plan, recipient
from domain.deliveries import DeliveryStatus, MessageKind, PasswordField
from domain.failures import PermanentFailure
from mail.bounces.processing import record_refusals
from mail.letters.templates import Templates
from mail.message.size_limit import SizeLimit, message_size
from mail.outbox.deliveries import COLUMNS, Delivery
from mail.outbox.queueing import queue_bills
from mail.outbox.sending import send_due
from mail.previews.previewing import render_sample
from mail.recipients.delivery_plan import PlanTerms, plan_deliveries
from mail.rendering.bills import BillRenderer, Protection, Sender
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import to_relay
from splitter.copying.encrypting import encrypt
from tests.builders import a_household, stage_run
from tests.mail.builders import NOW, RUN, a_run, an_account, deliveries
from tests.mail.scripted import Scripted, speaking
from tests.release import so_many

LINK = "https://portal.larkspur.example/bills/{account}/{period}"
SENDER = Sender("billing@larkspur.example", "bounces@larkspur.example")
LIMIT = SizeLimit(100_000)
LARGE = b"%PDF" + bytes(80_000)


def queued(database) -> None:
    a_run(database)
    an_account(database, "01-1037/1", zip_code="84840")
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")


def made(database, renderer: BillRenderer):
    """The one bill's mail, as it would leave."""
    with database.reading() as books:
        rows = [Delivery(*row) for row in books.execute(sa.select(*COLUMNS))]
    (message,) = renderer(rows)
    return message.to_bytes()


def parsed(content: bytes):
    return message_from_bytes(content, policy=default)


def renderer(database, pdf: bytes, limit: SizeLimit = LIMIT, **changes) -> BillRenderer:
    return BillRenderer(database, Templates(), SENDER, lambda _: pdf, limit=limit, **changes)


@settings(max_examples=so_many(30, release=100))
@given(st.integers(0, 3_000_000), st.integers(100_000, 3_000_000))
def test_what_the_plan_lets_through_fits_and_nothing_else(size, largest):
    limit = SizeLimit(largest)

    assert (size > limit.largest_attachment) == limit.is_over(size)


@pytest.mark.parametrize("size", [0, 1, 57, 58, 60_000])
def test_a_mail_is_no_larger_than_was_reckoned(size):
    bare, full = len(render_sample("utility-bill")), message_size(size)

    assert bare + -(-size // 57) * 78 <= full


def test_a_bill_that_is_too_large_is_linked(database):
    queued(database)
    bills = renderer(database, LARGE, SizeLimit(LIMIT.octets, LINK))

    message = parsed(made(database, bills))

    assert [] == list(message.iter_attachments())
    for kind in ("plain", "html"):
        body = message.get_body((kind,)).get_content()
        assert "https://portal.larkspur.example/bills/01-1037%2F1/2026-10" in body
        assert "password" not in body


@pytest.mark.parametrize(
    ("portal", "linked"),
    [("https://portal.larkspur.example/", True), ("", False)],
)
def test_a_mail_says_where_its_bill_is_a_page_that_everybody_can_read(database, portal, linked):
    queued(database)

    message = parsed(made(database, renderer(database, b"%PDF-", portal=portal)))

    page = f"https://portal.larkspur.example/accounts/01-1037%2F1/bill/{RUN}/page"
    for kind in ("plain", "html"):
        assert linked == (page in message.get_body((kind,)).get_content())


def test_a_linked_bill_needs_no_password(database):
    queued(database)
    lock = Protection(PasswordField.PHONE, encrypt)  # which the account has not
    bills = renderer(database, LARGE, SizeLimit(LIMIT.octets, LINK), protection=lock)

    assert "too large for an e-mail" in parsed(made(database, bills)).get_body().get_content()


def test_a_bill_that_is_too_large_fails_where_there_is_no_link(database):
    """Where the office lowered the limit only after the plan was made."""
    queued(database)

    with pytest.raises(PermanentFailure) as refused:
        made(database, renderer(database, LARGE))

    assert "the bill is too large for a mail of 0.1 MB; print the bill" == str(refused.value)


def test_a_bill_that_fits_is_attached_though_there_is_a_link(database):
    queued(database)
    small = os.urandom(LIMIT.largest_attachment)
    bills = renderer(database, small, SizeLimit(LIMIT.octets, LINK))

    content = made(database, bills)

    (pdf,) = parsed(content).iter_attachments()
    assert small == pdf.get_content()
    assert len(content) <= LIMIT.octets


@pytest.mark.parametrize(
    ("link", "status", "on_paper"),
    [
        pytest.param(LINK, DeliveryStatus.SENT, 0, id="a link"),
        pytest.param("", DeliveryStatus.FAILED, 1, id="paper"),
    ],
)
def test_a_bill_that_the_relay_finds_too_large_goes_as_the_office_has_set(
    database, tmp_path, link, status, on_paper
):
    queued(database)
    bills = renderer(database, LARGE, SizeLimit(20_000_000, link))
    relay = Scripted(extensions=("SIZE 60000",))

    with speaking(relay):
        mailer = SmtpMailer(to_relay(f"smtp://127.0.0.1:{relay.port}"), connections=1)
        send_due(
            database, mailer, {MessageKind.BILL: bills},
            journals=tmp_path, clock=lambda: NOW, owner="me",
        )  # fmt: skip
        mailer.close()
    settled = record_refusals(database, RUN, now=NOW, who="me")

    assert [status] == [row.status for row in deliveries(database)]
    assert on_paper == settled.paper
    if link:
        (kept,) = relay.kept
        assert "too large for an e-mail" in parsed(kept.body).get_body().get_content()
        assert [] == list(parsed(kept.body).iter_attachments())


@pytest.mark.parametrize(
    ("largest", "papers", "mailed"),
    [
        pytest.param(1_000, {"1": "ebill-too-large", "3": "ebill-too-large"}, ["2"], id="paper"),
        pytest.param(None, {"3": "send-paper"}, ["1", "2", "3"], id="a link"),
    ],
)
def test_the_plan_puts_on_paper_what_no_mail_can_carry(database, largest, papers, mailed):
    homes = [a_household(number, email="ann@x.example") for number in ("1", "2")]
    stage_run(database, *homes, a_household("3", email="ann@x.example", send_paper=True))
    with database.writing() as books:
        for number, size in (("1", 1_001), ("2", 1_000), ("3", 5_000)):
            books.execute(
                bill.insert().values(
                    period=RUN, form="utility-bill", account_key=number, ordinal=1, account=number,
                    bulk=0, first_page=0, pages=1, pdf=f"{number}.pdf", sha256="0" * 64, size=size,
                )
            )  # fmt: skip

    plan_deliveries(database, RUN, PlanTerms(largest_bill=largest))

    plans = delivery_plan.c
    with database.reading() as books:
        query = sa.select(plans.account_key, plans.paper).where(plans.paper.is_not(None))
        found = {key: reason.value for key, reason in books.execute(query)}
        reached = sorted(books.scalars(sa.select(recipient.c.account_key)))
    assert (papers, mailed) == (found, reached)
