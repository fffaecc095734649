"""Half a year of two cycles by the office's own collector, whose processes die at any boundary."""

from __future__ import annotations

import os

import pytest

from tests.billing_system.collected_simulation import CollectedSimulation

SEEDS = int(os.environ.get("BILLCLOSE_LEDGER_SEEDS", "1"))  # more of them, and more customers,
ACCOUNTS = int(os.environ.get("BILLCLOSE_LEDGER_ACCOUNTS", "6"))  # before a release


@pytest.mark.release  # every run lives through it with the feed: test_fed_simulation.py
@pytest.mark.timeout(120 * SEEDS + 20 * ACCOUNTS)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_books_say_each_night_what_is_owed_and_no_draw_is_more(database, tmp_path, seed):
    if not database.is_sqlite and SEEDS == 1:
        pytest.skip("the locks are tested by themselves; with more seeds it runs here as well")
    simulation = CollectedSimulation(database, seed, place=tmp_path, accounts=ACCOUNTS)

    faults = simulation.run() or simulation.settle()
    simulation.close()

    assert [] == faults[:5]
    held, in_the_books = simulation.chain()
    assert held == in_the_books
    assert {"reference", "agreed"} <= simulation.hows()
    assert simulation.weather.crashes.total() > 20
    assert simulation.weather.struck.total() > 10
