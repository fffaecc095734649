"""The peers: other ways to hand the same mails to a server."""

from __future__ import annotations

import asyncio
import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count
from typing import Any

import aiosmtplib

from bench.mail.messages import BOUNCES, NOW, SENDER, Mails, a_delivery

HOST = "127.0.0.1"
TASKS = 4  # of aiosmtplib, with a connection each
FROM = f"City of Larkspur <{SENDER.address}>"


def by_smtplib(mails: Mails, port: int, seconds: float) -> int:
    """Send ready bytes over one connection: the standard library at its best."""
    sent, messages = 0, _until(seconds, mails.prebuilt())
    with smtplib.SMTP(HOST, port, local_hostname="localhost") as client:
        for message in messages:
            client.sendmail(message.envelope_from, [message.recipient], message.to_bytes())
            sent += 1
    return sent


def like_django(mails: Mails, port: int, seconds: float) -> int:
    """Do what Django's backend does, without it: EmailMessage over one connection of smtplib."""
    sent = 0
    with smtplib.SMTP(HOST, port, local_hostname="localhost") as client:
        for message in _until(seconds, _email_messages(mails)):
            client.send_message(message, BOUNCES)
            sent += 1
    return sent


def by_django(mails: Mails, port: int, seconds: float) -> int:
    """Send through Django's SMTP backend, its connection kept open."""
    from django.conf import settings
    from django.core.mail import EmailMultiAlternatives, get_connection

    if not settings.configured:
        settings.configure(EMAIL_HOST=HOST, EMAIL_PORT=port)
    connection = get_connection("django.core.mail.backends.smtp.EmailBackend")
    connection.open()
    sent = 0
    for number in _until(seconds, count()):
        row = a_delivery(mails.kind, number)
        wording, attachment = mails.in_words(row, number)
        message = EmailMultiAlternatives(
            wording.subject.strip(), wording.text, FROM, [row.address],
            headers={"Message-ID": row.message_id, "Auto-Submitted": "auto-generated"},
        )  # fmt: skip
        message.attach_alternative(wording.html, "text/html")
        if attachment is not None:
            message.attach(attachment.name, attachment.content, "application/pdf")
        sent += connection.send_messages([message])
    connection.close()
    return sent


def by_aiosmtplib_readme(mails: Mails, port: int, seconds: float) -> int:
    """Send as aiosmtplib's README shows: an EmailMessage, a connection each; four at a time."""
    messages = _until(seconds, _email_messages(mails))

    async def run() -> int:
        sent = 0
        for message in messages:
            await aiosmtplib.send(message, sender=BOUNCES, hostname=HOST, port=port)
            sent += 1
        return sent

    return asyncio.run(_four_times(run))


def by_aiosmtplib_kept(mails: Mails, port: int, seconds: float) -> int:
    """Send ready bytes over four connections that are kept: aiosmtplib at its best."""
    messages = _until(seconds, mails.prebuilt())

    async def run() -> int:
        sent = 0
        async with aiosmtplib.SMTP(hostname=HOST, port=port, local_hostname="localhost") as client:
            for message in messages:
                content = message.to_bytes()
                await client.sendmail(message.envelope_from, [message.recipient], content)
                sent += 1
        return sent

    return asyncio.run(_four_times(run))


async def _four_times(run: Callable[[], Any]) -> int:
    return sum(await asyncio.gather(*(run() for _ in range(TASKS))))


def _until(seconds: float, messages: Iterator[Any]) -> Iterator[Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield next(messages)


def _email_messages(mails: Mails) -> Iterator[EmailMessage]:
    """Yield the same mails, made by the standard library."""
    for number in count():
        row = a_delivery(mails.kind, number)
        wording, attachment = mails.in_words(row, number)
        message = EmailMessage()
        message["From"], message["To"] = FROM, row.address
        message["Subject"], message["Message-ID"] = wording.subject.strip(), row.message_id
        message["Date"], message["Auto-Submitted"] = format_datetime(NOW), "auto-generated"
        message.set_content(wording.text)
        message.add_alternative(wording.html, subtype="html")
        if attachment is not None:
            message.add_attachment(
                attachment.content, maintype="application", subtype="pdf", filename=attachment.name
            )
        yield message


@dataclass(frozen=True, slots=True)
class OtherClient:
    """A peer, and over how many connections it sends."""

    send: Callable[[Mails, int, float], int]
    connections: int


PEERS = {
    "smtplib, prebuilt": OtherClient(by_smtplib, 1),
    "Django": OtherClient(by_django, 1),
    "like Django": OtherClient(like_django, 1),
    "aiosmtplib, as its README": OtherClient(by_aiosmtplib_readme, TASKS),
    "aiosmtplib, prebuilt, kept": OtherClient(by_aiosmtplib_kept, TASKS),
}
