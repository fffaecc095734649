"""Several processes at one queue and one service: nothing twice, and nobody hammers it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from cash_receipting.sandbox_faults import Faults
from cash_receipting.sandbox_server import SandboxServer, open_sandbox
from database.tables import service_health
from tests.cash_receipting.builders import receipt_key, states, take

ROOT = Path(__file__).parents[2]
WORKERS, PAYMENTS = 3, 100


@pytest.fixture
def service(tmp_path) -> Iterator[SandboxServer]:
    server = open_sandbox(tmp_path / "service.db", faults=Faults(forgets_keys=True))
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield server
    server.shutdown()
    server.server_close()
    serving.join()


def start(books, service: SandboxServer, seconds: float) -> list[subprocess.Popen]:
    command = [
        sys.executable, "-m", "tests.cash_receipting.worker", books.url, service.url, str(seconds),
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(WORKERS)]


def test_several_processes_post_everything_once(books, service):
    take(books, range(1, PAYMENTS + 1))

    statuses = [worker.wait(timeout=120) for worker in start(books, service, 60)]

    assert [0] * WORKERS == statuses
    assert {"posted"} == set(states(books))
    entries = [service.books.find(receipt_key(number)) for number in range(1, PAYMENTS + 1)]
    assert {1} == {len(entry) for entry in entries}


def test_processes_that_are_killed_leave_nothing_entered_twice(books, service):
    take(books, range(1, PAYMENTS + 1))
    service.plan.replace(Faults(forgets_keys=True, slow_seconds=0.01))
    workers = start(books, service, 60)
    until = time.monotonic() + 60
    while "posted" not in states(books) and time.monotonic() < until:
        time.sleep(0.02)

    for worker in workers:
        worker.kill()
        worker.wait(timeout=30)

    entries = [service.books.find(receipt_key(number)) for number in range(1, PAYMENTS + 1)]
    recorded = states(books).count("posted")
    assert 0 < recorded <= sum(len(entry) for entry in entries)
    assert {len(entry) for entry in entries} <= {0, 1}


def test_a_service_that_is_down_is_left_alone_by_all_processes_together(books, service):
    take(books, range(1, PAYMENTS + 1))
    service.plan.replace(Faults(down=True))

    for worker in start(books, service, 3):
        worker.wait(timeout=120)

    assert {"pending"} == set(states(books))
    with books.reading() as rows:
        probes = rows.execute(sa.select(service_health.c.probes)).scalar_one()
    assert service.plan.requests - probes <= WORKERS * 3
    assert probes <= WORKERS  # each may have stood still until it was time, on a busy machine
