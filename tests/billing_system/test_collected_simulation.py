"""Half a year of two cycles by the office's own collector, whose processes die at any boundary."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from database.ledger import matching
from domain.ledger import ContainedBy
from payments.collecting import claiming
from rules.money import export_boundary
from tests.billing_system.collected_simulation import CollectedSimulation

SEEDS = int(os.environ.get("BILLCLOSE_LEDGER_SEEDS", "1"))  # more of them, and more customers,
ACCOUNTS = int(os.environ.get("BILLCLOSE_LEDGER_ACCOUNTS", "6"))  # before a release


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


def paid_is_set_to_zero(patch):
    """What the close did before there was a ledger."""

    def match(_lines, told, _bounds):
        return export_boundary.Matched({one.key: ContainedBy.AMOUNT for one in told})

    patch.setattr(matching, "match_export", match)


def what_was_paid_meanwhile_is_not_looked_at(patch):
    real = claiming.to_drawable

    def to_drawable(row) -> claiming.Drawable:
        return replace(real(row), open_balance=row.amount)

    patch.setattr(claiming, "to_drawable", to_drawable)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "mutant",
    [paid_is_set_to_zero, what_was_paid_meanwhile_is_not_looked_at],
    ids=lambda mutant: mutant.__name__,
)
def test_a_rule_that_is_broken_is_noticed(database, tmp_path, monkeypatch, mutant):
    if not database.is_sqlite:
        pytest.skip("a broken rule is broken on both")
    mutant(monkeypatch)

    simulation = CollectedSimulation(database, 0, place=tmp_path)
    faults = simulation.run()
    simulation.close()

    assert faults
