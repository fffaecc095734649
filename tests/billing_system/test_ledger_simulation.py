"""Each night of some months the open balance is what is owed, and no draw is more than that."""

from __future__ import annotations

import os

import pytest

from billing_system import closing
from database.ledger import entries, matching
from domain.ledger import ContainedBy
from rules.money import export_boundary
from tests.billing_system.ledger_simulation import Simulation, by_the_journal, standing
from tests.release import so_many

SEEDS = int(os.environ.get("BILLCLOSE_LEDGER_SEEDS", "1"))  # more of them by hand, or at night


@pytest.mark.parametrize("has_feed", [True, False], ids=["with a feed", "without one"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_books_say_each_night_what_is_owed(database, seed, has_feed):
    if not database.is_sqlite and SEEDS == 1:
        pytest.skip("the locks are tested by themselves; with more seeds it runs here as well")
    simulation = Simulation(database, seed, has_feed)

    faults = simulation.run()

    assert [] == faults[:5]
    assert simulation.asked > so_many(350, release=500)
    assert {"reference", "agreed"} <= simulation.hows()
    if has_feed:
        assert {"time", "late"} <= simulation.hows()
    assert standing(database) == by_the_journal(database)


def paid_is_set_to_zero(patch):
    """What the close did before there was a ledger."""

    def match(_lines, told, _bounds):
        return export_boundary.Matched({one.key: ContainedBy.AMOUNT for one in told})

    patch.setattr(matching, "match_export", match)


def nothing_is_found_by_reference(patch):
    patch.setattr(export_boundary, "_match_references", lambda *_: None)
    patch.setattr(closing, "is_named_exactly", lambda _period: matching._ENTRY.key == "")


def late_files_count_always(patch):
    patch.setattr(entries, "_placed", lambda entry, _newest: entry)
    patch.setattr(entries, "_find_late", lambda *_: {})


def paid_is_carried_to_an_agreed_amount(patch):
    none = matching._BALANCE.account_key == ""
    patch.setattr(
        closing,
        "agreed_accounts",
        lambda _p: matching.sa.select(matching._BALANCE.account_key).where(none),
    )


MUTANTS = [
    paid_is_set_to_zero,
    nothing_is_found_by_reference,
    late_files_count_always,
    paid_is_carried_to_an_agreed_amount,
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_rule_that_is_broken_is_noticed(database, monkeypatch, mutant):
    if not database.is_sqlite:
        pytest.skip("a broken rule is broken on both")
    mutant(monkeypatch)

    assert Simulation(database, 0).run()
