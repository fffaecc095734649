"""Mails that come back, as mail systems write them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mail.bounces.inbox import LARGEST, ReturnedMail

RECEIVED = datetime(2026, 11, 2, 14, 30, tzinfo=UTC)


def a_report(
    status: str = "5.1.1",
    *,
    action: str = "failed",
    to: str = "bounces@larkspur.example",
    number: int = 1,
    envelope_id: str = "",
    message_id: str = "<of-nobody@larkspur.example>",
    diagnostic: str = "smtp; 550 5.1.1 <ann@customer.example>: no such user ann here",
    returned: str = "text/rfc822-headers",
) -> bytes:
    """A report as Postfix writes it; it says Auto-Submitted, as all of them do."""
    original = f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else ""
    text = f"""Return-Path: <>
Date: Mon,  2 Nov 2026 14:30:00 +0000 (UTC)
From: MAILER-DAEMON@mx.test (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="B{number}.1234/mx.test"
Message-Id: <20261102143000.{number}@mx.test>

This is a MIME-encapsulated message.

--B{number}.1234/mx.test
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B{number}.1234/mx.test
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test
{original}X-Postfix-Queue-ID: 1234
Arrival-Date: Mon,  2 Nov 2026 14:29:58 +0000 (UTC)

Final-Recipient: rfc822; ann@customer.example
Original-Recipient: rfc822;ann@customer.example
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--B{number}.1234/mx.test
Content-Description: Undelivered Message
Content-Type: {returned}

From: City of Larkspur <billing@larkspur.example>
To: ann@customer.example
Message-ID: {message_id}

--B{number}.1234/mx.test--
"""
    return text.replace("\n", "\r\n").encode()


def a_plain_bounce(to: str = "bounces@larkspur.example") -> bytes:
    """What qmail and its like write: words for people."""
    return (
        f"From: MAILER-DAEMON@old.example\nTo: {to}\nSubject: failure notice\n"
        "Message-ID: <plain@old.example>\n\n"
        "Hi. This is the qmail-send program. I'm afraid I wasn't able to deliver your message.\n"
    ).encode()


QMAIL = """Hi. This is the qmail-send program at old.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ann@customer.example>:
192.0.2.32 does not like recipient.
Remote host said: 550 5.1.1 unknown user
Giving up on 192.0.2.32.

--- Below this line is a copy of the message.

Received: (qmail 1 invoked by uid 9)
Subject: Your bill, 450 and 5.7.1 are in it
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ann@customer.example
    SMTP error from remote mail server after RCPT TO:<ann@customer.example>:
    host mx.example [192.0.2.20]: 450 mailbox is full

------ This is a copy of the message, including all the headers. ------
"""
NOTES = "--- Failure Reasons ---\n\nUser not listed in public book\nann@customer.example\n"
LATE = """THIS IS A WARNING MESSAGE ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.
Delivery to the following recipient has been delayed: ann@customer.example
"""
GROUP = "We are writing to let you know that the group you tried to contact may not exist.\n"


def in_words(
    text: str,
    *,
    to: str = "bounces@larkspur.example",
    head: str = "From: MAILER-DAEMON@old.example\nSubject: failure notice",
) -> bytes:
    """What a mail system writes that makes no reports."""
    return f"{head}\nTo: {to}\nMessage-ID: <words@old.example>\n\n{text}".encode()


def a_complaint(to: str = "bounces@larkspur.example", feedback: str = "abuse") -> bytes:
    """A customer's click on "spam", as their mail system passes it on (RFC 5965)."""
    return f"""From: feedback@mail.example
To: {to}
Subject: FW: News from the City of Larkspur
Message-ID: <complaint@mail.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="arf"

--arf
Content-Type: text/plain

This is an email abuse report.

--arf
Content-Type: message/feedback-report

Feedback-Type: {feedback}
User-Agent: SomeGenerator/1.0
Version: 1

--arf
Content-Type: message/rfc822

From: City of Larkspur <billing@larkspur.example>
Subject: News from the City of Larkspur

Hello
--arf--
""".encode()


def a_vacation_reply(to: str = "bounces@larkspur.example") -> bytes:
    return (
        f"From: ann@customer.example\nTo: {to}\nSubject: Out of the office\n"
        "Auto-Submitted: auto-replied (vacation)\nMessage-ID: <away@customer.example>\n\n"
        "I am away until November 16.\n"
    ).encode()


class Box:
    """A mailbox in memory."""

    def __init__(self, *mails: bytes) -> None:
        self.mails = list(mails)
        self.read: list[str] = []

    def unread(self) -> Iterator[ReturnedMail]:
        for number, content in enumerate(self.mails):
            if str(number) not in self.read:
                yield ReturnedMail(str(number), content[:LARGEST], RECEIVED)

    def mark_read(self, mail: ReturnedMail) -> None:
        self.read.append(mail.name)

    def close(self) -> None:
        pass
