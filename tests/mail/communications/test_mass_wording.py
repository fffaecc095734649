"""The text of a mass mail: paragraphs, variables, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from email import message_from_bytes
from email.policy import default

import pytest

from domain.deliveries import MessageKind
from domain.failures import Misuse
from mail.communications.posted import Details, LiveCommunications, PdfFile, add_communication
from mail.letters.communications import (
    CommunicationLetter,
    check_subject,
    fill_in,
    to_paragraphs,
    uses,
)
from mail.letters.samples import a_sample_notice, sample_pdf
from mail.letters.templates import Templates
from mail.outbox.deliveries import claim
from mail.outbox.queueing import queue_bills
from mail.port import MailOutcome
from mail.rendering.bills import BillRenderer, Stamp, compose_mail
from splitter.store.bill_store import BillStore
from tests.mail.builders import NOW, PDF, RUN, a_run, an_account
from tests.mail.notices.test_notices import SENDER

FACTS = {"customer_name": "Ann", "account_number": "", "utility": "{{ account_number }}"}


@pytest.mark.parametrize(
    ("body", "paragraphs"),
    [
        pytest.param("One\nline.\n\nTwo.", ("One line.", "Two."), id="a blank line"),
        pytest.param("\ufeffOne.\r\n \r\n\r\nTwo.\r\n", ("One.", "Two."), id="as Windows writes"),
        pytest.param("Bring:\n- bags\n- a rake", ("Bring:", "- bags", "- a rake"), id="a list"),
        pytest.param("Tab\there\x00 \x1b[31m", ("Tab here [31m",), id="control characters"),
    ],
)
def test_a_body_is_cut_into_paragraphs(body, paragraphs):
    assert paragraphs == to_paragraphs(body)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        pytest.param(" \n\n", "empty", id="nothing"),
        pytest.param("Dear {{ name }}", "unknown variable name", id="a variable of no kind"),
        pytest.param("Dear {{ customer_name", "braces", id="half a variable"),
        pytest.param("{% if x %}Hi{% endif %}", "braces", id="a statement"),
        pytest.param("{{ customer_name.upper() }}", "braces", id="an expression"),
        pytest.param("x" * 60_000, "attach a PDF", id="too long"),
    ],
)
def test_a_body_that_would_not_read_as_meant_is_misuse(body, what):
    with pytest.raises(Misuse, match=what):
        to_paragraphs(body)


def test_a_fact_is_never_read_as_a_variable_and_an_empty_paragraph_goes():
    body = ("Dear {{customer_name}} of {{ utility }}.", "{{ account_number }}")

    assert ("Dear Ann of {{ account_number }}.",) == fill_in(body, FACTS)
    assert (True, False) == (uses(body, "utility"), uses(body, "LatestCommunicationLink"))


@pytest.mark.parametrize(
    "subject", ["", " ", "a\nBcc: x@x.example", "a\r\n\r\nbody", "a\x00", "a\u2028b", "x" * 151]
)
def test_a_subject_is_one_line(subject):
    with pytest.raises(Misuse):
        check_subject(subject)


def test_nothing_in_a_mail_becomes_a_header_or_a_tag():
    letter = a_sample_notice("communication")
    assert isinstance(letter, CommunicationLetter)
    hostile = replace(
        letter,
        title="Hi\r\nBcc: all@x.example",
        customer="<script>\r\nX-Evil: 1",
        paragraphs=("{{ customer_name }} & <b>",),
    )
    content = compose_mail(
        Templates(), hostile, SENDER, "ann@x.example", Stamp("a/b/c/d", "<a@x>", NOW)
    )
    mail = message_from_bytes(content, policy=default)
    page = mail.get_body(("html",))

    assert (None, None) == (mail["Bcc"], mail["X-Evil"])
    assert "Hi Bcc: all@x.example" == mail["Subject"]
    assert page and "&lt;script&gt; X-Evil: 1 &amp; &lt;b&gt;" in page.get_content()


def test_a_bill_that_was_put_off_over_an_expiry_does_not_link_to_a_dead_page(database, tmp_path):
    a_run(database)
    an_account(database)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    leaves = PdfFile("leaves.pdf", sample_pdf(), 1)
    add_communication(
        database, BillStore(tmp_path), leaves, Details("Leaves", expires_on=date(2026, 11, 30)),
        now=NOW, who="anna",
    )  # fmt: skip
    today = [date(2026, 11, 30)]
    url = "https://x.example/{number}"
    live = LiveCommunications(database, url, lambda: today[0], fresh_seconds=0)
    renderer = BillRenderer(database, Templates(), SENDER, lambda _: PDF, live.latest_link)
    rows = claim(database, "me", NOW, 1, NOW - NOW, kinds=[MessageKind.BILL])
    (message,) = renderer(rows)
    assert not isinstance(message, MailOutcome)

    before = message.to_bytes()
    today[0] = date(2026, 12, 1)
    after = message.to_bytes()

    assert [True, False] == [b"https://x.example/1" in content for content in (before, after)]
