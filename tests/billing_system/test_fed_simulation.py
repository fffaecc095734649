"""Months of two cycles by the office's collector and its feed: four books agree to the cent."""

from __future__ import annotations

from pathlib import Path

import pytest

from database.books import Database
from database.tables import metadata
from tests.billing_system.fed_mutants import MUTANTS
from tests.billing_system.fed_simulation import FOLDER, URL, WAYS, FedSimulation
from tests.billing_system.ledger_simulation import by_the_journal, standing
from tests.conftest import sqlite_reads
from tests.payments.simulated_truth import what_is_written
from tests.release import so_many

CASES, SIMULATED = (
    [one for one in MUTANTS if bool(one.case) == is_case] for is_case in (True, False)
)
BOUNDARIES = {"before a commit", "after a commit"} | {
    f"{when} {call}"
    for when in ("before", "after")
    for call in ("prepare", "confirm", "lookup", "late_events", "post", "new_files",
                 "mark_taken_in", "refund")
}  # fmt: skip


def live(simulation: FedSimulation) -> list[str]:
    """Live through the months, then some calm days and a last close of each cycle."""
    return simulation.run() or simulation.settle() or simulation.last_exports()


@pytest.mark.release("postgresql")  # each part of it has tests there: feed, closing, collecting
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "way",
    [  # the mutants below live with a folder each time
        pytest.param(FOLDER, marks=pytest.mark.release),
        URL,
    ],
)
def test_each_night_the_books_say_what_is_owed_as_far_as_the_feed_told(database, tmp_path, way):
    accounts, days = so_many(5, release=6), so_many(5, release=8)
    seed = WAYS.index(way)
    simulation = FedSimulation(
        database, seed, place=tmp_path, accounts=accounts, days=days, way=way
    )

    faults = live(simulation)
    simulation.close()

    assert [] == faults[:5]
    held, in_the_books = simulation.chain()
    assert ([], held) == (simulation.four_books(), in_the_books)
    assert standing(database) == by_the_journal(database)
    assert {"reference", "agreed", "time"} <= simulation.hows()
    assert min(simulation.weather.crashes.total(), simulation.weather.struck.total()) > 2
    assert any(file.is_accepted or file.comes_at is None for file in simulation.written)


@pytest.mark.release
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("way", WAYS)
def test_many_towns_die_at_every_boundary_and_agree(database, tmp_path, way):
    died = set[str]()
    least, most = so_many(1, release=6), so_many(1, release=12)
    for seed in range(most):
        if seed >= least and died >= BOUNDARIES:
            break
        place = tmp_path / str(seed)
        place.mkdir()
        books = database if seed == 0 else more_books(place)
        simulation = a_town(books, seed, place, way)

        faults = live(simulation)
        simulation.close()

        assert ([], []) == (faults[:5], simulation.four_books()), seed
        died |= simulation.weather.crashes.keys()
        if not database.is_sqlite:
            break
    assert not database.is_sqlite or died >= BOUNDARIES


@pytest.mark.release  # every run lives two other seeds twice: tests/payments
@pytest.mark.parametrize("way", WAYS)
def test_a_seed_lives_the_same_nights_whichever_way_unordered_rows_come(tmp_path, way):
    lived = []
    for name, backwards in (("one", True), ("other", False)):
        place = tmp_path / name
        place.mkdir()
        with sqlite_reads(backwards=backwards):
            books = more_books(place)
            simulation = FedSimulation(
                books, 1, place=place, accounts=3, days=4, periods=1, way=way, crash=0.1
            )
            faults = simulation.run()
        simulation.close()
        lived.append((simulation.weather.diary, what_is_written(books)))
        books.close()
        assert [] == faults

    assert lived[0] == lived[1]
    assert simulation.weather.crashes.total() > 2


def a_town(books: Database, seed: int, place: Path, way: str) -> FedSimulation:
    """Prepare the months of a town in which much fails, in every second one four times as much."""
    simulation = FedSimulation(
        books, seed, place=place, accounts=14, days=16, way=way, dies_refunding=8.0
    )
    simulation.weather.crash *= 1 + 3 * (seed % 2)  # some calls are made seldom
    return simulation


def more_books(place: Path) -> Database:
    """Open empty books beside those of the test."""
    books = Database(f"sqlite:///{place / 'books.db'}")
    metadata.create_all(books.engine)
    return books


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(one, marks=[pytest.mark.release] if one.takes_long else [], id=one.name)
        for one in SIMULATED
    ],
)
def test_the_simulation_notices_that(database, tmp_path, monkeypatch, mutant):
    if not database.is_sqlite:
        pytest.skip("a broken rule is broken on both")
    mutant.apply(monkeypatch)
    simulation = FedSimulation(database, mutant.seed, place=tmp_path, days=8, way=FOLDER)

    faults = live(simulation)
    simulation.close()

    held, in_the_books = simulation.chain()
    assert faults or held != in_the_books or simulation.four_books()


@pytest.mark.parametrize("mutant", CASES, ids=lambda mutant: mutant.name)
def test_a_case_notices_that(database, tmp_path, monkeypatch, mutant):
    mutant.apply(monkeypatch)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        mutant.case(database, tmp_path)


def test_every_mutant_is_caught_by_one_of_the_two():
    assert len(MUTANTS) == len({one.name for one in MUTANTS}) >= 10
