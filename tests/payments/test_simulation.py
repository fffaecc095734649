"""Sixty bad days: nothing is drawn twice, nothing posted twice, no cent is lost."""

from __future__ import annotations

import os

import pytest

from tests.conftest import sqlite_reads
from tests.payments.simulated_mutants import MUTANTS
from tests.payments.simulation import QUICK_STEPS, Size, require_one_life, simulate
from tests.release import so_many

PAYMENTS = int(os.environ.get("BILLCLOSE_TEST_SIMULATED_PAYMENTS", so_many(60, release=100)))
MANY = Size(  # an outage of the gateway ends a round: fewer of them, and more rounds
    payments=PAYMENTS, crash=0.003, fault=0.0015, batch=100, steps=(60, 400, 900, 3_600, 9 * 3_600)
)  # 10,000 before a release
TRIED = (MUTANTS[0],)  # in every run: one that draws twice
TINY = Size(payments=6, crash=0.05, days=1, due_over=1, good_days=1, more_days=0)
HARD = Size(  # with fewer payments the first seed still shows the mistakes of every run
    payments=so_many(25, release=60),
    crash=0.012,
    fault=0.025,
    days=12,
    due_over=8,
    good_days=3,
    steps=QUICK_STEPS,
)


@pytest.mark.timeout(max(900, PAYMENTS))
@pytest.mark.parametrize("seed", range(1, 1 + so_many(1, release=3)))
def test_after_sixty_bad_days_every_cent_is_where_it_belongs(tmp_path, empty_sqlite, seed):
    size = Size(payments=PAYMENTS) if PAYMENTS <= 1_000 else MANY
    world = simulate(tmp_path / "world", empty_sqlite, seed, size)

    print(world.figures())
    assert [] == world.find_faults()
    assert world.weather.crashes.total() > 20
    assert world.weather.struck.total() > 50
    world.close()


def test_a_seed_lives_the_same_days_whichever_way_unordered_rows_come(tmp_path, empty_sqlite):
    """For whoever lives through a fault that was found once more."""
    one = simulate(tmp_path / "one", empty_sqlite, 2, TINY)
    with sqlite_reads(backwards=False):
        other = simulate(tmp_path / "other", empty_sqlite, 2, TINY)

    require_one_life(one, other)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_each_mistake_can_still_be_made(monkeypatch, mutant):
    """Most are caught before a release alone: until then their lines may have changed."""
    mutant.apply(monkeypatch)


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(one, id=one.name, marks=() if one in TRIED else pytest.mark.release)
        for one in MUTANTS
    ],
)
def test_the_simulation_catches_a_collector_that(tmp_path, empty_sqlite, monkeypatch, mutant):
    mutant.apply(monkeypatch)

    found: list[str] = []
    for seed in range(1, 9):
        world = simulate(tmp_path / str(seed), empty_sqlite, seed, HARD)
        found += [fault.partition(":")[0] for fault in world.find_faults()]
        world.close()
        if mutant.does in found:
            break

    assert mutant.does in found
