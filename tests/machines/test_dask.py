"""A close whose batches Dask hands out ends as one without it, also where its workers die."""

from __future__ import annotations

import os
import signal
import threading
import time

import httpx
import pytest

import office.prefect_server.task_runner
import tasks.splitting
from database.books import Database
from domain.failures import TemporaryFailure
from office.clock import Clock
from office.equipment.office import Office
from office.prefect_server.task_runner import dask_runner
from office.settings.close import WorkersSettings
from office.settings.settings import Settings
from splitter.batches.claims import list_batches
from tests.builders import NOW
from tests.machines.outcomes import makers_of, result

pytestmark = pytest.mark.slow

DASK = {
    "BILLCLOSE_WORKERS__TASK_RUNNER": "dask",
    "BILLCLOSE_WORKERS__BATCH_BILLS": "6",
    "BILLCLOSE_SPLITTER__PROCESSES": "1",
}


@pytest.mark.release  # test_many_machines shows each time that a helper may die
def test_a_worker_of_dask_killed_in_mid_close_loses_no_bill_and_doubles_none(
    desk, alone, city, monkeypatch
):
    monkeypatch.setattr(tasks.splitting, "STALL_SECONDS", 550)  # a busy machine starts slowly
    database = Database(f"sqlite:///{desk.home / 'billclose.db'}")
    ended = threading.Event()
    killed: list[int] = []
    killer = threading.Thread(target=kill_first, args=(database, killed, ended))
    killer.start()

    answer = desk.close(city, "--yes", **DASK)
    ended.set()
    killer.join()
    database.close()

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert result(alone) == result(desk)
    makers = makers_of(desk.settings)
    assert [(1, 6), (2, 6), (3, 6), (4, 4)] == [(row["batch"], row["bills"]) for row in makers]
    assert len(killed) == 1
    assert f"process {os.getpid()} on" not in "".join(row["made by"] for row in makers)
    wait_until(lambda: {f"cut 00{number}" for number in (1, 2, 3, 4)} <= completed_tasks(desk))


def kill_first(database, killed, ended):
    """Kill the first process that takes a batch."""
    while not killed and not ended.is_set():
        owners = [batch.owner for batch in list_batches(database, "2026-10") if batch.owner]
        if owners and int(owners[0].split("|")[1]) != os.getpid():
            killed.append(int(owners[0].split("|")[1]))
            os.kill(killed[0], signal.SIGKILL)
        time.sleep(0.005)


def completed_tasks(desk):
    query = {"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}, "limit": 200}
    answer = httpx.post(f"{desk.settings['PREFECT_API_URL']}/task_runs/filter", json=query)
    return {row["name"] for row in answer.json()}


def wait_until(is_so):
    """Wait for what the server writes down a bit later."""
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    pytest.fail("the server has not written it down")


@pytest.mark.parametrize(
    "address",
    ["tcp://scheduler.internal:8786", "scheduler:8786", "tls://scheduler", "http://127.0.0.1:80"],
)
def test_a_scheduler_that_anybody_could_use_is_refused(address):
    with pytest.raises(ValueError, match="tls://"):
        WorkersSettings(address=address)


def test_a_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(office.prefect_server.task_runner, "CONNECT_SECONDS", 0.5)
    workers = WorkersSettings(task_runner="dask", address="tcp://127.0.0.1:1")
    settings = Settings().model_copy(update={"workers": workers})
    here = Office(tmp_path, settings, Clock(lambda: NOW, None), "anna")

    with pytest.raises(TemporaryFailure, match=r"workers\.address"), dask_runner(here):
        pytest.fail("nobody is there")
