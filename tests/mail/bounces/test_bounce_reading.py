"""Reading what comes back: reports of every kind, and what only looks like one."""

from __future__ import annotations

import base64
import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.bounces.inbox import LARGEST
from mail.bounces.reading import DeliveryReport, read_returned
from tests.builders import few_examples
from tests.mail.bounce_builders import (
    EXIM,
    GROUP,
    LATE,
    NOTES,
    QMAIL,
    a_complaint,
    a_plain_bounce,
    a_report,
    a_vacation_reply,
    in_words,
)

NESTED = b"".join(
    b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(4_000)
)


def test_a_report_says_what_failed_and_of_which_mail():
    found = read_returned(a_report(envelope_id="bill.1@larkspur.example", message_id="<bill.1@x>"))

    assert "bill.1@larkspur.example" == found.envelope_id
    assert "<bill.1@x>" == found.message_id
    (report,) = found.reports
    assert ("failed", "5.1.1") == (report.action, report.status)
    assert report.diagnostic.startswith("550 5.1.1")
    assert not found.is_answer


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers", "message/global"])
def test_the_mail_that_came_back_is_found_whole_or_by_its_headers(returned):
    assert (
        "<bill.1@x>"
        == read_returned(a_report(message_id="<bill.1@x>", returned=returned)).message_id
    )


@pytest.mark.parametrize(
    ("status", "diagnostic", "expected"),
    [
        pytest.param("5.0.0", "smtp; 550 5.1.1 unknown", "5.1.1", id="the server is more exact"),
        pytest.param("5.1.1", "smtp; 550 no such user", "5.1.1", id="the report alone"),
        pytest.param("", "smtp; 452 4.2.2 full", "4.2.2", id="the server alone"),
        pytest.param("", "smtp; 550 no such user", "5.0.0", id="the first figure of a reply"),
        pytest.param("", "x-unix; gone", "", id="nobody says"),
        pytest.param("5.1.1 (unknown user)", "", "5.1.1", id="with a comment"),
    ],
)
def test_the_status_is_the_most_exact_one(status, diagnostic, expected):
    (report,) = read_returned(a_report(status, diagnostic=diagnostic)).reports

    assert expected == report.status


def test_a_report_in_base64_is_read_though_it_should_not_be():
    report = a_report()
    head, _, rest = report.partition(b"Reporting-MTA")
    fields, end, tail = (b"Reporting-MTA" + rest).partition(b"--B1.1234/mx.test\r\nContent-Desc")
    coded = base64.encodebytes(fields).replace(b"\n", b"\r\n")
    head = head.replace(b"delivery-status\r\n\r\n", b"delivery-status\r\nContent-Transfer-Encoding:"
                        b" base64\r\n\r\n")  # fmt: skip

    found = read_returned(head + coded + end + tail)

    assert [("failed", "5.1.1")] == [(one.action, one.status) for one in found.reports]


@pytest.mark.parametrize(
    ("mail", "is_answer"),
    [
        pytest.param(a_vacation_reply(), True, id="vacation"),
        pytest.param(b"From: a@b\nPrecedence: auto_reply\n\nx", True, id="precedence"),
        pytest.param(
            b"From: a@b\nContent-Type: multipart/report; report-type=disposition-notification;"
            b" boundary=x\n\n--x--\n",
            True,
            id="a reading receipt",
        ),
        pytest.param(a_report(), False, id="a report, though it is automatic too"),
        pytest.param(a_plain_bounce(), False, id="a bounce in words"),
        pytest.param(
            b"From: Mailer-Daemon@x\nAuto-Submitted: auto-replied\n\nno", False, id="of a daemon"
        ),
        pytest.param(
            b"From: x@y\nX-Failed-Recipients: a@b\nAuto-Submitted: auto-replied\n\nno",
            False,
            id="naming who failed",
        ),
        pytest.param(b"From: ann@x\nAuto-Submitted: no\n\nPlease call me.", False, id="a person"),
    ],
)
def test_an_automatic_answer_is_told_from_a_bounce(mail, is_answer):
    assert is_answer == read_returned(mail).is_answer


def test_the_same_mail_has_the_same_id_and_another_one_another():
    mails = [a_report(), a_report(number=2), a_report(to="bounces+x@larkspur.example")]
    without = [mail.replace(b"Message-Id:", b"X-Was:") for mail in mails]

    ids = [read_returned(mail).id for mail in mails + without]

    assert ids == [read_returned(mail).id for mail in mails + without]
    assert len(ids) == len(set(ids))
    assert {64} == {len(identity) for identity in ids}


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0" * 1_000, id="zeros"),
        pytest.param(NESTED[:LARGEST], id="parts within parts"),
        pytest.param((b"Content-Type: message/rfc822\n\n" * 9_000)[:LARGEST], id="mails in mails"),
        pytest.param(
            b"Content-Type: message/delivery-status\n\n" + b"Action: failed\n\n" * 10_000,
            id="recipients without end",
        ),
        pytest.param(
            b"Content-Type: message/delivery-status\n\n" + b"boundary\n" * 20, id="no parts"
        ),
        pytest.param(b"To: " + b"<" * 200_000, id="brackets"),
        pytest.param(b"Message-ID: " + b" \r\n" * 80_000, id="folded for ever"),
        pytest.param(
            b'Content-Type: multipart/report; boundary="x"\n\n' + b"--x\n\n" * 60_000,
            id="empty parts",
        ),
        pytest.param(
            b"Content-Type: \xff\xfe\x80; boundary*0*=utf-8''%ff\n\n\xff", id="no letters"
        ),
    ],
)
def test_what_is_huge_or_hostile_is_read_and_says_little(mail):
    found = read_returned(mail)  # in quadratic time these would take very long

    assert 50 >= len(found.reports)


SEEDS = [a_report(), a_report("4.4.7", returned="message/rfc822"), a_vacation_reply()]


@few_examples
@given(st.integers(), st.sampled_from(SEEDS))
def test_a_report_with_anything_changed_is_still_read(seed, mail):
    chance = random.Random(seed)
    for _ in range(40):
        changed = bytearray(mail)
        for _ in range(chance.randint(1, 30)):
            place = chance.randrange(len(changed))
            piece = chance.choice(
                [b"", b"\0", b"\xff\xfe", b"\r\n", b"\n\n", b"boundary=", b";", b'"']
            )
            changed[place : place + chance.randint(0, 20)] = piece or bytes(
                chance.randrange(256) for _ in range(chance.randint(0, 8))
            )
        found = read_returned(bytes(changed))

        assert 64 == len(found.id)
        assert all(isinstance(report, DeliveryReport) for report in found.reports)
        assert all(len(report.action) <= 20 and len(report.status) <= 9 for report in found.reports)


@few_examples
@given(st.binary(max_size=2_000))
def test_no_bytes_make_it_stumble(content):
    assert 64 == len(read_returned(content).id)


DAEMON = "From: MAILER-DAEMON@old.example\nSubject: failure notice"
NOBODY = "Return-Path: <>\nFrom: no-reply@x.example\nSubject: Mail"
EXIMS = "From: Mailer-Daemon@x\nX-Failed-Recipients: a@b.example\nAuto-Submitted: auto-replied"


@pytest.mark.parametrize(
    ("text", "head", "expected"),
    [
        pytest.param(QMAIL, DAEMON, ("failed", "5.1.1"), id="qmail"),
        pytest.param(EXIM, EXIMS, ("failed", "4.0.0"), id="Exim, with a code alone"),
        pytest.param(GROUP, EXIMS, ("failed", "5.0.0"), id="a header names who failed"),
        pytest.param(NOTES, DAEMON, ("failed", "5.0.0"), id="the words name who failed"),
        pytest.param(LATE, DAEMON, ("delayed", "5.0.0"), id="only late"),
        pytest.param("Could not be delivered.", NOBODY, ("failed", ""), id="by its empty sender"),
        pytest.param("Sorry, it was not delivered.", DAEMON, ("failed", ""), id="says no more"),
    ],
)
def test_a_bounce_in_words_says(text, head, expected):
    found = read_returned(in_words(text, head=head))

    (told,) = found.reports
    assert (expected, True, False) == ((told.action, told.status), found.in_words, found.is_answer)


@pytest.mark.parametrize(
    ("text", "head"),
    [
        pytest.param(QMAIL, "From: ann@customer.example\nSubject: Fwd: failure", id="a person's"),
        pytest.param("I am away, call 555 450 1234.", NOBODY, id="no word of failure"),
        pytest.param("It was successfully delivered.", DAEMON, id="it arrived"),
        pytest.param(
            "I cannot be reached; undeliverable things go to suite 550 5.1.1.",
            "Return-Path: <>\nFrom: ann@customer.example\nSubject: Automatic reply: your bill",
            id="an answer with the empty sender",
        ),
    ],
)
def test_no_failure_is_read_into(text, head):
    assert () == read_returned(in_words(text, head=head)).reports


def test_a_complaint_is_told_from_feedback_that_is_none():
    told = [
        read_returned(a_complaint(feedback=kind)).is_complaint
        for kind in ("abuse", "opt-out", "fraud", "not-spam", "auth-failure")
    ]

    assert [True, True, True, False, False] == told


def test_a_mail_that_came_back_shows_whom_it_is_about_who_wrote_it_and_how_it_begins():
    found = read_returned(a_report())

    assert "ann@customer.example" == found.recipient
    assert "MAILER-DAEMON@mx.test (Mail Delivery System)" == found.sender
    assert "Undelivered Mail Returned to Sender" == found.subject
    assert found.first_lines.startswith("I'm sorry to have to inform you")
    encoded = in_words("x", head="From: =?utf-8?q?J=C3=B6rg?= <j@x>\nSubject: =?x?q?broken")
    assert "Jörg <j@x>" == read_returned(encoded).sender


CORPUS = Path(os.environ.get("BILLCLOSE_BOUNCES", Path.cwd().parent / "shared/corpora/bounces"))
NO_FAILURE = ("feedback", "vacation", "delivered")


@pytest.mark.skipif(not (CORPUS / "expected.jsonl").exists(), reason="the corpus is not here")
def test_nine_in_ten_failures_that_real_servers_write_are_recognized_and_no_answer_is_one():
    counted, wrong = Counter[str](), []
    for line in (CORPUS / "expected.jsonl").read_text().splitlines():
        row = json.loads(line)
        found = read_returned((CORPUS / row["file"]).read_bytes())
        reasons = {outcome["reason"] for outcome in row["outcomes"]}
        is_failure = bool(reasons - {*NO_FAILURE})
        told = any(one.action in ("failed", "delayed") and one.status for one in found.reports)
        counted["failures"] += is_failure
        counted["recognized"] += is_failure and told and not found.is_answer
        if reasons and not is_failure and told:
            wrong.append(row["file"])

    assert counted["recognized"] >= 0.9 * counted["failures"] > 0
    assert [] == wrong
