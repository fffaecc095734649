"""Batches: each is somebody's until the lease runs out, and counts once."""

from __future__ import annotations

import json
import os
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from database.owners import this_process
from database.tables import split_batch
from domain.batches import BatchState
from domain.failures import Misuse
from splitter.batches import run as making
from splitter.batches.claims import (
    MOST_ATTEMPTS,
    claim,
    list_batches,
    mark_done,
    next_free,
    put_back,
    record_batches,
    renew,
)
from splitter.batches.plan import Batch
from splitter.batches.run import BatchWorker
from splitter.bulk_file.splitting import Filed
from splitter.store.bill_store import BillStore
from tests.builders import RUN, stage_run

RELEASE = "0.1.0"
ELSEWHERE = "other-machine:4026531836|17|0c3f.99|"
NOTHING = Filed((), 0, 0)


@pytest.fixture
def store(tmp_path):
    return BillStore(tmp_path / "bills")


@pytest.fixture
def offered(database, store):
    """Three batches that wait for somebody."""
    stage_run(database)
    offer(database, store)
    return database


def offer(database, store, plan="a", release=RELEASE):
    work = json.dumps(
        {
            "orders": [],
            "by_ocr": [],
            "read_back_every": 1,
            "audit_every": 64,
            "ocr": False,
            "labels": ["", "", True],
        }
    )
    batches = [Batch(RUN, number, 0, plan, release, 10, 20, work) for number in (1, 2, 3)]
    record_batches(database, RUN, plan, batches, store)


def states(database):
    return [batch.state.value for batch in list_batches(database, RUN)]


def test_each_batch_goes_to_one_only(offered):
    claimed = [claim(offered, owner, RELEASE) for owner in (ELSEWHERE, this_process(), ELSEWHERE)]

    assert [1, 2, 3] == [batch.number for batch in claimed]
    assert claim(offered, this_process(), RELEASE) is None
    assert next_free(offered, RUN, RELEASE) is None


def test_what_another_machine_holds_is_its_own_until_its_lease_runs_out(offered):
    claim(offered, ELSEWHERE, RELEASE, number=1)
    assert claim(offered, this_process(), RELEASE, number=1) is None

    run_out_of_time(offered, 1)

    assert 1 == claim(offered, this_process(), RELEASE, number=1).number


def test_what_a_killed_process_of_this_machine_held_is_free_at_once(offered):
    claim(offered, a_dead_process(), RELEASE, number=1)

    assert 1 == claim(offered, this_process(), RELEASE, number=1).number


def test_who_was_taken_for_dead_cannot_say_that_it_is_done(offered):
    lost = claim(offered, ELSEWHERE, RELEASE, number=1)
    run_out_of_time(offered, 1)
    taken = claim(offered, this_process(), RELEASE, number=1)

    assert not renew(offered, lost, ELSEWHERE)
    assert not mark_done(offered, lost, ELSEWHERE, NOTHING)
    assert renew(offered, taken, this_process())
    assert mark_done(offered, taken, this_process(), NOTHING)
    assert ["done", "waiting", "waiting"] == states(offered)


def test_a_lease_that_is_renewed_goes_on(offered):
    batch = claim(offered, ELSEWHERE, RELEASE, number=1, lease=timedelta(seconds=-1))

    renew(offered, batch, ELSEWHERE)

    assert claim(offered, this_process(), RELEASE, number=1) is None


def test_what_is_put_back_waits_and_no_attempt_is_counted(offered):
    put_back(offered, claim(offered, this_process(), RELEASE, number=1), this_process())

    assert [(BatchState.WAITING, 0)] == [
        (batch.state, batch.attempts) for batch in list_batches(offered, RUN)[:1]
    ]


def test_a_batch_that_ends_whoever_takes_it_is_given_up(offered):
    for _ in range(MOST_ATTEMPTS):
        assert 1 == claim(offered, a_dead_process(), RELEASE).number

    assert 2 == claim(offered, this_process(), RELEASE).number
    assert ["failed", "taken", "waiting"] == states(offered)


def test_another_release_makes_none_of_them(offered):
    assert claim(offered, this_process(), "0.2.0") is None
    assert next_free(offered, RUN, "0.2.0") is None


def test_the_same_plan_keeps_what_is_done_and_tries_again_what_failed(offered, store):
    mark_done(offered, claim(offered, this_process(), RELEASE), this_process(), NOTHING)
    for _ in range(MOST_ATTEMPTS):
        claim(offered, a_dead_process(), RELEASE)
    claim(offered, this_process(), RELEASE)
    store.write(f"{RUN}/a/1.pdf", b"one")
    assert ["done", "failed", "taken"] == states(offered)

    offer(offered, store)

    assert ["done", "waiting", "taken"] == states(offered)
    assert store.exists(f"{RUN}/a/1.pdf")


def test_another_plan_begins_from_nothing(offered, store):
    mark_done(offered, claim(offered, this_process(), RELEASE), this_process(), NOTHING)
    before = claim(offered, ELSEWHERE, RELEASE)
    store.write(f"{RUN}/a/1.pdf", b"one")

    offer(offered, store, plan="b")

    assert ["waiting"] * 3 == states(offered)
    assert not store.exists(f"{RUN}/a/1.pdf")
    assert not mark_done(offered, before, ELSEWHERE, NOTHING)


def test_a_machine_with_another_store_makes_nothing(offered, tmp_path):
    other = BillStore(tmp_path / "another store")

    with (
        BatchWorker(offered, other, tmp_path, owner=this_process(), release=RELEASE) as worker,
        pytest.raises(Misuse, match=r"bills\.store"),
    ):
        worker.make_one()

    assert [("waiting", 0)] * 3 == [
        (batch.state, batch.attempts) for batch in list_batches(offered, RUN)
    ]


def test_a_lease_is_renewed_again_after_a_turn_at_which_the_books_were_away(
    offered, store, tmp_path, monkeypatch
):
    away = [True, True]
    renewed = threading.Event()

    def renews(*told) -> bool:
        if away:
            away.pop()
            raise OperationalError("UPDATE", {}, Exception("connection refused"))
        renewed.set()
        return True

    monkeypatch.setattr(making, "RENEW_SECONDS", 0.001)
    monkeypatch.setattr(making, "renew", renews)
    monkeypatch.setattr(BatchWorker, "_made", lambda *_held: renewed.wait(30) and NOTHING)

    with BatchWorker(offered, store, tmp_path, owner=this_process(), release=RELEASE) as worker:
        worker.make_one()

    assert renewed.is_set()
    assert ["done", "waiting", "waiting"] == states(offered)


def run_out_of_time(database, number):
    """Let as much time pass as a lease has."""
    with database.writing() as books:
        past = sa.select(split_batch.c.started_at).where(split_batch.c.number == number)
        books.execute(
            split_batch.update()
            .where(split_batch.c.number == number)
            .values(lease_until=books.execute(past).scalar_one() - timedelta(seconds=1))
        )


def a_dead_process():
    """The name of a process that ran on this machine and is gone."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    host, _, rest = this_process().split("|", 2)
    return f"{host}|{child}|{rest}"
