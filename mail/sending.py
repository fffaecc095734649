"""Sending what is due: claim, deliver, mark, until nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from database.books import Database
from domain.deliveries import MessageKind
from domain.failures import TemporaryFailure
from mail.journal import Journal
from mail.outbox import claim
from mail.port import Mailer
from mail.recovery import recover
from mail.tallying import SendCounts, Tally
from mail.worker import Render, Worker

LEASE = timedelta(minutes=15)  # more than the ten minutes a server may take after the final dot


def send_due(
    database: Database,
    mailer: Mailer,
    renderers: Mapping[MessageKind, Render],
    *,
    journals: Path,
    clock: Callable[[], datetime],
    owner: str,
    batch: int = 200,
    lease: timedelta = LEASE,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[SendCounts], None] | None = None,
    resend_in_doubt: bool = True,
    tally: Tally | None = None,
) -> SendCounts:
    """
    Send what is due of the kinds that have a renderer, and return what became of it.

    Mail is sent at least once. No transaction is open while the network is. A bad address costs
    its own message only. When the relay itself is unavailable it stops at once and puts back what
    it had claimed. `owner` comes from `database.owners.this_process`, and `journals` is a folder
    on a disk of this machine: then a run after a kill goes on without waiting, and knows of all
    but the messages that were just being handed over whether they left. A `tally` is a new one; it
    tells the caller what of the counts others may take over.
    """
    recover(database, journals, clock(), me=owner)
    journal = Journal(journals, owner)
    worker = Worker(
        database, mailer, renderers, journal, clock, owner, lease,
        stop or (lambda: False), progress or (lambda _counts: None), tally or Tally(),
    )  # fmt: skip
    is_told = False  # everything that was claimed
    try:
        while not worker.stopped_by and not worker.is_stopped():
            journal.clear()
            due = claim(
                database, owner, clock(), batch, lease,
                kinds=tuple(renderers), resend_in_doubt=resend_in_doubt,
            )  # fmt: skip
            if not due:
                break
            worker.send(due)
        is_told = not worker.waiting and not worker.unmarked
    except TemporaryFailure as failure:
        worker.stopped_by = str(failure)
    finally:
        journal.close(delete=is_told)
    return worker.counts
