"""Any faults, and a crash before or after any commit or call: each payment is entered once."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cash_receipting.posting import post_due
from database.books import Database
from tests.cash_receipting.builders import (
    Clock,
    Counter,
    always,
    close_a_run,
    receipt_key,
    states,
    take,
)
from tests.release import so_many

FAULTS = st.lists(st.sampled_from(["ok", "down", "never", "lost", "late"]), max_size=12)
CRASHES = st.lists(st.integers(0, 30), max_size=10)
FLIGHT = timedelta(minutes=5)


class Killed(BaseException):
    """The process is gone: nothing catches it."""


class Mortal(Database):
    """Books in which the process dies before or after a commit that a test names by number."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.dies_at: int | None = None
        self.commits = 0

    @contextmanager
    def writing(self):
        self._pass()
        with super().writing() as books:
            yield books
            self._pass()  # here it rolls back
        self._pass()

    def _pass(self) -> None:
        self.commits += 1
        if self.dies_at is not None and self.commits > self.dies_at:
            raise Killed


@pytest.fixture
def fresh(empty_sqlite, tmp_path):
    """Books to be filled anew for each example."""
    numbers = iter(range(1_000_000))

    def make() -> Mortal:
        path = tmp_path / f"{next(numbers)}.db"
        shutil.copy(empty_sqlite, path)
        books = Mortal(f"sqlite:///{path}")
        close_a_run(books)
        return books

    return make


@pytest.mark.parametrize("keeps_keys", [True, False])
@settings(
    max_examples=so_many(5, release=50),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=FAULTS, crashes=CRASHES, payments=st.integers(1, 5))
def test_each_payment_is_entered_exactly_once(fresh, keeps_keys, plan, crashes, payments):
    books, clock = fresh(), Clock()
    take(books, range(1, payments + 1))
    counter = Counter(list(plan), keeps_keys=keeps_keys, longest_in_flight=FLIGHT)

    for number, dies_at in enumerate(crashes):
        books.dies_at, books.commits = dies_at, 0
        with suppress(Killed):
            post_due(books, counter, clock, chance=always(0.9))
        books.dies_at = None
        clock.move(timedelta(minutes=2))
        if number % 2:  # nothing is under way for longer than it says
            counter.arrive()
    since = 0  # rounds since all are posted: in some more of them nothing happens
    for _ in range(60):
        counter.arrive()
        clock.move(timedelta(hours=1))
        post_due(books, counter, clock, chance=always(0.9))
        since += {"posted"} == set(states(books))
        if since > 3:
            break

    assert {"posted"} == set(states(books))
    assert [receipt_key(number) for number in range(1, payments + 1)] == counter.booked_keys()
    books.close()
