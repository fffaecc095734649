"""Collectors that are killed again and again draw nothing twice and lose nothing."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from database.books import Database
from domain.money import Money
from domain.payments import PaymentState
from payments.outcomes.unknown_payments import (
    Agreed,
    PaymentDecision,
    decide_never_arrived,
    list_doubts,
)
from payments.sandbox.gateway import SandboxGateway
from payments.scheduling.scheduling import schedule_autopay
from rules.money.autopay import AutopayPolicy
from tests.builders import NOW, RUN, a_household, a_mandate, close_run, stage_run
from tests.payments.collector_process import TERMS, start_collector
from tests.payments.simulated_truth import Audit, gateway_rows, ledger_entries, payments_of
from tests.release import so_many

KILLS = int(  # 100 before a release, by hand
    os.environ.get("BILLCLOSE_TEST_COLLECTOR_KILLS", str(so_many(5, release=8)))
)
PAYMENTS_A_KILL = 40
AFTERWARDS = (timedelta(hours=2), timedelta(hours=25), timedelta(hours=25), timedelta(days=8))
LATER = timedelta(minutes=10)  # what hung when a process died is due for a look by then


@pytest.mark.timeout(900 + 30 * KILLS)
def test_collectors_that_are_killed_draw_once_and_lose_nothing(tmp_path, empty_sqlite):
    shutil.copy(empty_sqlite, tmp_path / "books.db")
    books = Database(f"sqlite:///{tmp_path / 'books.db'}")
    schedule_today(books, PAYMENTS_A_KILL * KILLS)
    chance = random.Random(20261102)
    now, kills = NOW, 0

    while kills < KILLS and is_unfinished(books):
        enough = done_so_far(tmp_path) + chance.randrange(2 * PAYMENTS_A_KILL)
        collector = start_collector(tmp_path, now)
        while collector.is_alive() and done_so_far(tmp_path) < enough:
            collector.join(0.005)
        if collector.is_alive():
            os.kill(collector.pid or 0, signal.SIGKILL)
        collector.join()
        kills += collector.exitcode == -signal.SIGKILL
        now += LATER
    in_doubt = Counter(one.state for one in payments_of(books).values())[PaymentState.SUBMITTED]
    never_arrived = 0
    for wait in AFTERWARDS:
        now += wait
        never_arrived += decide(books, tmp_path, now)
        last = start_collector(tmp_path, now)
        last.join(120 + 10 * KILLS)
        assert last.exitcode == 0

    draws = gateway_rows(tmp_path / "gateway.db", "SELECT * FROM draw WHERE state = 'approved'")
    audit = Audit(books, tmp_path / "gateway.db", ledger_entries(tmp_path / "ledger.db"))
    print(
        f"{kills} kills, {len(draws)} draws; in doubt after the last kill: {in_doubt}; "
        f"never arrived, says a person: {never_arrived}"
    )
    assert kills >= min(KILLS, 4)
    assert len(payments_of(books)) == len(draws)
    assert [] == audit.find_faults()
    books.close()


def done_so_far(place: Path) -> int:
    """Count what was drawn and what was posted: how far the work has come."""
    drawn = count_rows(place / "gateway.db", "draw WHERE state <> 'prepared'")
    return drawn + count_rows(place / "ledger.db", "receipt")


def count_rows(file: Path, rows: str) -> int:
    """Count without waiting for anybody; a file that is not made yet has no rows."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as books:
            return int(books.execute(f"SELECT COUNT(*) FROM {rows}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def schedule_today(books: Database, number: int) -> None:
    accounts = [f"01.{one + 1000}.1" for one in range(number)]
    stage_run(
        books,
        *(
            a_household(
                account,
                a_mandate(account, days_prior=45, method_token="tok_ok"),
                balance=str(Money(10_00 + one)),
            )
            for one, account in enumerate(accounts)
        ),
    )
    close_run(books)
    schedule_autopay(
        books, RUN, now=NOW, today=NOW.date(), closed=TERMS.closed, policy=AutopayPolicy()
    )


def decide(books: Database, place: Path, now: datetime) -> int:
    """Let a person give up what was asked for by a process that died before it could ask."""
    gateway = SandboxGateway(place / "gateway.db", lambda: now, TERMS.closed)
    doubts = list_doubts(books, gateway, lambda _one: None, now)
    never = [one.draw.key for one in doubts if one.agreed is Agreed.NEVER_ARRIVED]
    for key in never:
        decide_never_arrived(books, gateway, key, PaymentDecision("anna", "nobody has it", now))
    gateway.close()
    return len(never)


def is_unfinished(books: Database) -> bool:
    done = (PaymentState.SUCCEEDED,)
    return any(one.state not in done for one in payments_of(books).values())
