"""Bill runs: their states, their steps, and who is working on them."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.owners import describe, is_gone, this_process
from database.runs import (
    LOCK_LEASE,
    find_run,
    finished_step,
    forget_steps,
    get_run,
    move_run,
    record_step,
    release_lock,
    renew_lock,
    take_lock,
)
from database.tables import run_lock, run_step
from domain.failures import Misuse, Refused
from domain.money import Money
from domain.runs import RunState
from tests.builders import DUE, NOW, RUN, a_household, close_run, stage_run

SECOND = timedelta(seconds=1)


def holder(database) -> str | None:
    with database.reading() as books:
        return books.execute(sa.select(run_lock.c.holder)).scalar_one_or_none()


def a_dead_process() -> str:
    """The name of a process of this machine that has ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, this_process().encode())
        os._exit(0)
    os.waitpid(child, 0)
    owner = os.read(reading, 500).decode()
    os.close(reading)
    os.close(writing)
    return owner


def somewhere_else() -> str:
    return "other-host:4026531836|4711|d1b2c3d4.9000|"


def test_a_run_is_found_as_it_was_imported(database):
    stage_run(database)

    run = get_run(database, RUN)

    assert (RUN, RunState.STAGED, DUE, "America/Denver", False) == (
        run.period,
        run.state,
        run.due_on,
        run.timezone,
        run.is_closed,
    )


def test_a_period_that_was_never_imported_is_refused_with_what_to_do(database):
    with pytest.raises(
        Misuse, match=r"No export of period 2026-10 .* `billclose import"
    ) as refused:
        get_run(database, RUN)

    assert ("unknown-period", None) == (refused.value.code, find_run(database, RUN))


def test_a_run_moves_by_the_table_only(database):
    stage_run(database)

    with database.writing() as books:
        for event in ("asked", "approved", "published", "finished"):
            move_run(books, RUN, event)
    with pytest.raises(ValueError, match="finished cannot be"), database.writing() as books:
        move_run(books, RUN, "imported")

    assert RunState.FINISHED is get_run(database, RUN).state


def test_a_closed_run_is_known_as_closed(database):
    stage_run(database, a_household())
    before = get_run(database, RUN).is_closed

    close_run(database)

    assert (False, True) == (before, get_run(database, RUN).is_closed)


# -- steps ----------------------------------------------------------------------------------------


def steps(database) -> list[str]:
    with database.reading() as books:
        query = sa.select(run_step.c.step).order_by(run_step.c.position)
        return list(books.execute(query).scalars())


def done(database, step: str, position: int, **summary) -> None:
    record_step(database, RUN, step, position, NOW, NOW + SECOND, summary)


def test_a_step_is_recorded_with_what_it_says_of_itself(database):
    stage_run(database)

    done(database, "split bulk bills", 2, pages=395, amount=Money(1))

    assert {"pages": 395, "amount": "0.01"} == finished_step(database, RUN, "split bulk bills")
    assert None is finished_step(database, RUN, "guard calendar")


def test_a_step_done_again_is_recorded_once(database):
    stage_run(database)
    done(database, "split bulk bills", 2, pages=1)

    done(database, "split bulk bills", 2, pages=2)

    assert {"pages": 2} == finished_step(database, RUN, "split bulk bills")
    assert ["split bulk bills"] == steps(database)


def test_steps_are_listed_in_the_offices_order(database):
    stage_run(database)
    for step, position in (("publish bills", 6), ("import", 0), ("split", 2)):
        done(database, step, position)

    assert ["import", "split", "publish bills"] == steps(database)


def test_forgotten_steps_are_done_anew(database):
    stage_run(database)
    for step in ("import", "split", "check"):
        done(database, step, 0)

    forget_steps(database, RUN, ("split", "check", "never done"))

    assert ["import"] == steps(database)


def test_a_step_of_no_run_is_refused(database):
    with pytest.raises(sa.exc.IntegrityError):
        done(database, "split", 2)

    assert [] == steps(database)


# -- who is working on a run ----------------------------------------------------------------------


def test_a_second_close_is_told_who_has_the_run(database):
    take_lock(database, RUN, "anna", this_process("one"), NOW)

    with pytest.raises(Refused) as refused:
        take_lock(database, RUN, "ben", this_process("two"), NOW + SECOND)

    expected = (
        f"Period 2026-10 is being worked on by anna ({describe(this_process())}, since 13:00 UTC); "
        "wait until that has ended, then run the command again."
    )
    assert ("already-running", expected) == (refused.value.code, refused.value.message)
    assert f"process {os.getpid()} on " in expected
    assert "anna" == holder(database)


def test_whoever_has_a_run_may_take_it_again(database):
    for _ in range(2):
        take_lock(database, RUN, "anna", this_process(), NOW)

    assert "anna" == holder(database)


def test_another_period_may_be_worked_on_meanwhile(database):
    take_lock(database, RUN, "anna", this_process("one"), NOW)

    take_lock(database, "2026-11", "ben", this_process("two"), NOW)


def test_a_run_that_was_let_go_is_free(database):
    take_lock(database, RUN, "anna", this_process("one"), NOW)
    release_lock(database, RUN, this_process("one"))

    take_lock(database, RUN, "ben", this_process("two"), NOW)

    assert "ben" == holder(database)


def test_nobody_lets_go_or_renews_for_another(database):
    take_lock(database, RUN, "anna", this_process("one"), NOW)

    release_lock(database, RUN, this_process("two"))
    renew_lock(database, RUN, this_process("two"), NOW + LOCK_LEASE)

    with database.reading() as books:
        row = books.execute(sa.select(run_lock.c.holder, run_lock.c.renewed_at)).one()
    assert ("anna", NOW) == tuple(row)


def test_the_run_of_a_killed_process_is_taken_over(database):
    take_lock(database, RUN, "anna", a_dead_process(), NOW)

    take_lock(database, RUN, "ben", this_process(), NOW + SECOND)

    assert "ben" == holder(database)


def test_the_run_of_a_process_on_another_machine_is_waited_for(database):
    take_lock(database, RUN, "anna", somewhere_else(), NOW)

    with pytest.raises(Refused, match=r"anna .process 4711 on other-host"):
        take_lock(database, RUN, "ben", this_process(), NOW + LOCK_LEASE)


def test_the_run_of_a_silent_process_is_taken_over(database):
    take_lock(database, RUN, "anna", somewhere_else(), NOW)

    take_lock(database, RUN, "ben", this_process(), NOW + LOCK_LEASE + SECOND)

    assert "ben" == holder(database)


def test_a_holder_that_renews_is_not_silent(database):
    take_lock(database, RUN, "anna", somewhere_else(), NOW)
    renew_lock(database, RUN, somewhere_else(), NOW + LOCK_LEASE)

    with pytest.raises(Refused, match="anna"):
        take_lock(database, RUN, "ben", this_process(), NOW + LOCK_LEASE + SECOND)


@pytest.mark.parametrize("left_behind", [False, True], ids=["nobody had it", "a dead one had it"])
def test_of_many_who_take_a_run_at_once_exactly_one_has_it(database, left_behind):
    takers, rounds = 6, 8
    together = threading.Barrier(takers)
    dead = a_dead_process()

    def take(number: int) -> bool:
        together.wait(timeout=30)
        try:
            take_lock(database, RUN, f"clerk {number}", this_process(str(number)), NOW)
        except Refused:
            return False
        return True

    winners = []
    with ThreadPoolExecutor(takers) as office:
        for _ in range(rounds):
            with database.writing() as books:
                books.execute(run_lock.delete())
            if left_behind:
                take_lock(database, RUN, "anna", dead, NOW)
            winners.append(sum(office.map(take, range(takers))))

    assert [1] * rounds == winners


def test_a_process_is_known_by_more_than_its_number():
    me = this_process()
    host, process, started, worker = me.split("|")
    number_given_out_again = f"{host}|{process}|{started}9|{worker}"

    assert [False, True, True, False, False, False] == [
        is_gone(me),
        is_gone(number_given_out_again),
        is_gone(a_dead_process()),
        is_gone(somewhere_else()),
        is_gone("anna"),
        is_gone(""),
    ]
