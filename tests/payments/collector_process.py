"""A process that collects and posts what is due until it is done or killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from cash_receipting.ledger import LedgerReceipting
from cash_receipting.posting import post_due
from database.books import Database
from payments.collecting.collecting import collect_due
from payments.collecting.unanswered import look_up_due
from payments.outcomes.events import take_in_events
from payments.outcomes.settlements import read_settlements
from payments.sandbox.gateway import SandboxGateway
from payments.terms import CollectionTerms
from rules.calendars import bank_closed_days
from tests.forked import forks, load_before_forks

TERMS = CollectionTerms(closed=bank_closed_days(), batch=16, threads=4)
SECONDS_A_DRAW = 0.01  # so long a draw is in work: a kill finds some under way
load_before_forks(__name__)


def start_collector(place: Path, now: datetime) -> BaseProcess:
    """Start one, forked from a process that has everything loaded; its clock begins at `now`."""
    process = forks().Process(target=collect, args=(place, now))
    process.start()
    return process


def collect(place: Path, began_at: datetime) -> None:
    clock = running_from(began_at)
    books = Database(f"sqlite:///{place / 'books.db'}")
    gateway = SandboxGateway(place / "gateway.db", clock, TERMS.closed, latency=SECONDS_A_DRAW)
    ledger = LedgerReceipting(place / "ledger.db")
    look_up_due(books, gateway, TERMS, clock)
    collect_due(books, gateway, TERMS, clock)
    take_in_events(books, gateway, TERMS, clock)
    read_settlements(books, gateway, clock(), TERMS.who)
    post_due(books, ledger, clock)


def running_from(began_at: datetime) -> Callable[[], datetime]:
    """Return a clock that goes on from a moment."""
    began = time.monotonic()
    return lambda: began_at + timedelta(seconds=time.monotonic() - began)
