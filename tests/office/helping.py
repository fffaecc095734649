"""An office whose mails several processes send; a test names only what matters to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from database.books import Database
from database.owners import is_gone
from database.tables import delivery
from domain.deliveries import MessageKind
from mail.outbox.queueing import queue_bills
from mail.outbox.sending import SendCounts, send_due
from office.clock import Clock
from office.equipment.office import Office
from office.procedures.mailing import mail_sending
from office.procedures.mailing import mail_sending as mail_helpers
from office.settings.settings import FILE, open_settings
from tests.forked import forks, load_before_forks
from tests.mail.builders import NOW, PDF, RUN, a_run, rows_of_account
from tests.mail.servers import MailServer

AS_OF = datetime(2026, 11, 2, 9, 0)  # local time of the city, after NOW
WITHIN = 120  # seconds, on a busy machine
load_before_forks(__name__)


def enter_bills(database: Database, home: Path, names: Iterable[str]) -> None:
    """Enter an account for each mailbox, with its bill in the store, and queue the mails."""
    a_run(database)
    told: dict[sa.Table, list[dict[str, Any]]] = {}
    for number, name in enumerate(names):
        for table, row in rows_of_account(f"{number:04d}", [f"{name}@customer.example"]):
            told.setdefault(table, []).append(row)
            if "pdf" in row:
                file = home / "bills" / row["pdf"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(PDF)
    with database.writing() as books:
        for table, rows in told.items():
            books.execute(table.insert(), rows)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")


def office_of(database: Database, home: Path, port: int, **smtp: Any) -> Office:
    """Open the office of a home; its settings lie where other processes find them, too."""
    chosen = {"url": f"smtp://127.0.0.1:{port}", "processes": 2, "connections": 2, **smtp}
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
             for key, value in chosen.items()]  # fmt: skip
    text = f'[database]\nurl = "{database.url}"\n[smtp]\n' + "\n".join(lines)
    (home / FILE).write_text(text)
    return Office(home, open_settings(home), a_clock(), "test")


def start_leader(home: Path) -> BaseProcess:
    """Start a process that leads a sending, and sends little until a helper holds something."""
    leader = forks().Process(target=_lead, args=(home,))
    leader.start()
    return leader


def _lead(home: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        help_is_worth_it(patched)
        office = Office(home, open_settings(home), a_clock(), "test")
        send(office, lambda _counts: wait_until(lambda: len(holders(office.database)) > 1))


def a_clock() -> Clock:
    return Clock(lambda: pytest.fail("the time is rehearsed"), AS_OF)


def help_is_worth_it(monkeypatch: pytest.MonkeyPatch, *, batch: int = 20) -> None:
    """Let helpers start for ten mails, and leave them some: we claim no more than a batch."""
    for module in (mail_helpers, mail_sending):
        monkeypatch.setattr(module, "MAILS_FOR_ONE_MORE", 10)
    monkeypatch.setattr(mail_sending, "send_due", partial(send_due, batch=batch))


def send(office: Office, progress: Callable[[SendCounts], None]) -> SendCounts:
    return mail_sending.send_mails(office, (MessageKind.BILL,), office.due_now, progress)


@dataclass
class Meeting:
    """Progress that is shown; the first time it waits until a helper is at work, and acts."""

    server: MailServer
    act: Callable[[], object] = lambda: None
    own: int = 1  # connections of ours
    shown: list[SendCounts] = field(default_factory=list)

    def __call__(self, counts: SendCounts) -> None:
        self.shown.append(counts)
        if len(self.shown) == 1:
            wait_until(lambda: self.server.greetings > self.own)
            self.act()


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def holders(database: Database) -> set[str]:
    """Return who holds deliveries."""
    with database.reading() as books:
        query = sa.select(delivery.c.lease_owner).where(delivery.c.lease_owner.is_not(None))
        return set(books.scalars(query))


def wait_for_end(owners: Iterable[str]) -> None:
    """Wait until no process of these runs."""
    for owner in owners:
        wait_until(partial(is_gone, owner))


def processes(owners: Iterable[str]) -> list[int]:
    return [int(owner.split("|")[1]) for owner in owners]
