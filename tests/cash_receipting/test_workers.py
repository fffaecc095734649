"""Several processes at one queue and one service: nothing twice, and nobody hammers it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess

import pytest
import sqlalchemy as sa

from cash_receipting.sandbox_service import SandboxServer, ServiceFaults
from database.tables import service_health
from tests.cash_receipting.builders import a_service, receipt_key, states, take
from tests.cash_receipting.worker import start_worker

WORKERS, PAYMENTS = 3, 100


@pytest.fixture
def service(tmp_path) -> Iterator[SandboxServer]:
    with a_service(tmp_path, faults=ServiceFaults(forgets_keys=True)) as server:
        yield server


def start(books, service: SandboxServer, seconds: float) -> list[BaseProcess]:
    return [start_worker(books.url, service.url, seconds) for _ in range(WORKERS)]


def status(worker: BaseProcess) -> int | None:
    """Wait for its end; None: it has not ended."""
    worker.join(120)
    return worker.exitcode


def test_several_processes_post_everything_once(books, service):
    take(books, range(1, PAYMENTS + 1))

    statuses = [status(worker) for worker in start(books, service, 60)]

    assert [0] * WORKERS == statuses
    assert {"posted"} == set(states(books))
    entries = [service.books.find(receipt_key(number)) for number in range(1, PAYMENTS + 1)]
    assert {1} == {len(entry) for entry in entries}


def test_processes_that_are_killed_leave_nothing_entered_twice(books, service):
    take(books, range(1, PAYMENTS + 1))
    service.plan.replace(ServiceFaults(forgets_keys=True, slow_seconds=0.01))
    workers = start(books, service, 60)
    until = time.monotonic() + 60
    while "posted" not in states(books) and time.monotonic() < until:
        time.sleep(0.02)

    for worker in workers:
        worker.kill()
        assert status(worker) is not None

    entries = [service.books.find(receipt_key(number)) for number in range(1, PAYMENTS + 1)]
    recorded = states(books).count("posted")
    assert 0 < recorded <= sum(len(entry) for entry in entries)
    assert {len(entry) for entry in entries} <= {0, 1}


def test_a_service_that_is_down_is_left_alone_by_all_processes_together(books, service):
    take(books, range(1, PAYMENTS + 1))
    service.plan.replace(ServiceFaults(down=True))

    probes = None
    while probes is None:  # on a busy machine one second may be too little to find it down
        for worker in start(books, service, 1):
            assert 0 == status(worker)
        with books.reading() as rows:
            probes = rows.scalar(sa.select(service_health.c.probes))

    assert {"pending"} == set(states(books))
    assert service.plan.requests - probes <= WORKERS * 3
    assert probes <= WORKERS  # each may have stood still until it was time, on a busy machine
