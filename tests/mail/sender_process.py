"""A process that sends what is due until it is done or killed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from database.books import Database
from database.owners import this_process
from domain.deliveries import MessageKind
from mail.outbox.deliveries import Delivery
from mail.outbox.sending import send_due
from mail.port import OutgoingMessage
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import to_relay
from tests.forked import forks, load_before_forks

NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
CONNECTIONS = 4
load_before_forks(__name__)


def start_sender(url: str, journals: Path, port: int) -> BaseProcess:
    """Start one, forked from a process that has everything loaded."""
    process = forks().Process(target=send, args=(url, journals, port))
    process.start()
    return process


def send(url: str, journals: Path, port: int) -> None:
    mailer = SmtpMailer(to_relay(f"smtp://127.0.0.1:{port}"), connections=CONNECTIONS)
    send_due(
        Database(url), mailer, {MessageKind.BILL: render},
        journals=journals, clock=lambda: NOW, owner=this_process(), batch=40,
    )  # fmt: skip
    mailer.close()


def render(rows: Sequence[Delivery]) -> Iterator[OutgoingMessage]:
    for row in rows:
        content = f"Subject: bill\r\nMessage-ID: {row.message_id}\r\n\r\n{'x' * 70}\r\n".encode()
        yield OutgoingMessage(row.key, "b@larkspur.example", row.address, row.message_id, content)
