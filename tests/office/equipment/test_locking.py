"""The only right to work on a run, held while its steps go on."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from database import runs
from database.owners import this_process
from database.runs import take_lock
from database.tables import run_lock
from domain.failures import Refused
from office.clock import Clock
from office.equipment import locking
from office.equipment.locking import working_on
from office.equipment.office import Office
from office.settings.close import DatabaseSettings
from office.settings.settings import Settings
from tests.builders import NOW, RUN


@pytest.fixture
def here(database, tmp_path) -> Office:
    settings = Settings(database=DatabaseSettings(url=database.url))
    seconds = count()
    clock = Clock(lambda: NOW + timedelta(seconds=next(seconds)))  # every look a second later
    return Office(tmp_path, settings, clock, "anna")


def lock(database):
    with database.reading() as books:
        return books.execute(sa.select(run_lock)).one_or_none()


def test_a_run_is_held_while_somebody_works_on_it_and_let_go_of_after(here):
    with working_on(here, RUN):
        held = lock(here.database)

    assert ("anna", this_process()) == (held.holder, held.owner)
    assert lock(here.database) is None


def test_a_run_is_let_go_of_where_the_work_fails(here):
    with pytest.raises(ZeroDivisionError), working_on(here, RUN):
        _ = 1 // 0

    assert lock(here.database) is None


def test_a_run_that_somebody_else_has_is_left_alone(here):
    take_lock(here.database, RUN, "ben", this_process("another"), here.clock.wall())

    with pytest.raises(Refused, match="being worked on by ben"), working_on(here, RUN):
        pytest.fail("two work on one run")

    assert "ben" == lock(here.database).holder


def test_a_held_run_is_renewed_by_the_clock_of_the_machine(here, monkeypatch):
    monkeypatch.setattr(locking, "RENEW_SECONDS", 0.01)
    rehearsed = Clock(here.clock.wall, datetime(2026, 12, 24, 6))
    office = Office(here.home, here.settings, rehearsed, "anna")

    with working_on(office, RUN):
        taken = lock(here.database)
        for _ in range(2_000):
            time.sleep(0.005)
            if (renewed := lock(here.database)).renewed_at > taken.taken_at:
                break

    assert NOW <= taken.taken_at < renewed.renewed_at


def test_a_lock_is_renewed_again_after_a_turn_at_which_the_books_were_busy(here, monkeypatch):
    busy = [True, True]

    def renew(*told):
        if busy:
            busy.pop()
            raise OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked"))
        renewed.set()
        return runs.renew_lock(*told)

    renewed = threading.Event()
    monkeypatch.setattr(locking, "RENEW_SECONDS", 0.01)
    monkeypatch.setattr(locking, "renew_lock", renew)

    with working_on(here, RUN):
        assert renewed.wait(30)
