"""Two machines that send an office's mails at once, each with a journal of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from database.books import Database
from database.owners import this_process
from domain.deliveries import MessageKind
from mail.outbox.deliveries import Delivery
from mail.outbox.sending import send_due
from mail.port import OutgoingMessage
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import to_relay
from tests.forked import forks, load_before_forks
from tests.mail.sender_process import NOW, render

BATCH = 40
load_before_forks(__name__, closes=True)


@dataclass
class Sender:
    process: BaseProcess
    answers: Connection
    barrier: Any  # gone with its last owner here, so it is kept

    def sent(self) -> int:
        """Wait for its end; how many mails it says that it sent."""
        number: int = self.answers.recv()
        self.process.join()
        return number


def start_senders(url: str, journals: Sequence[Path], port: int) -> list[Sender]:
    """Start them; none hands over a mail before each has claimed a batch."""
    context = forks(closes=True)
    barrier = context.Barrier(len(journals))
    senders = []
    for folder in journals:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_send, args=(url, folder, port, barrier, theirs))
        process.start()
        theirs.close()
        senders.append(Sender(process, ours, barrier))
    return senders


def _send(url: str, journals: Path, port: int, barrier: Any, answers: Connection) -> None:
    has_claimed = False

    def render_when_all_have_claimed(rows: Sequence[Delivery]) -> Iterator[OutgoingMessage]:
        nonlocal has_claimed
        if not has_claimed:
            has_claimed = True
            barrier.wait(60)
        yield from render(rows)

    mailer = SmtpMailer(to_relay(f"smtp://127.0.0.1:{port}"), connections=2)
    counts = send_due(
        Database(url), mailer, {MessageKind.BILL: render_when_all_have_claimed},
        journals=journals, clock=lambda: NOW, owner=this_process(), batch=BATCH,
    )  # fmt: skip
    mailer.close()
    answers.send(counts.sent)
