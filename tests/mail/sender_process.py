"""A process that sends what is due until it is done or killed: `sender_process.py URL PORT`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from database.books import Database
from database.owners import this_process
from mail.outbox import Delivery
from mail.port import OutgoingMessage
from mail.relay import to_relay
from mail.sending import send_due
from mail.smtp import SmtpMailer

NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
CONTENT = b"Subject: bill\r\n\r\n" + b"x" * 70 + b"\r\n"


def render(rows: Sequence[Delivery]) -> Iterator[OutgoingMessage]:
    for row in rows:
        yield OutgoingMessage(row.key, "b@larkspur.example", row.address, row.message_id, CONTENT)


def main(url: str, port: str) -> None:
    mailer = SmtpMailer(to_relay(f"smtp://127.0.0.1:{port}"), connections=4)
    print("ready", flush=True)
    counts = send_due(
        Database(url), mailer, render, clock=lambda: NOW, owner=this_process(), batch=40
    )
    mailer.close()
    print(counts, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
