"""Bad days with customers who pay by hand beside autopay and the counter: no cent is lost."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from database.definitions.checkout import checkout, checkout_line
from database.ledger.tables import payment_event
from database.tables import gateway_payment
from domain.checkout import PayLine
from domain.money import Money
from domain.payments import PaymentKind
from payments.checkout.confirming import confirm_checkout
from payments.collecting.claiming import abandon_dead_checkouts
from tests.builders import NOW
from tests.conftest import sqlite_reads
from tests.payments.checkout.customers import OFFICE, Payers, bad_days
from tests.payments.checkout.mutants import MUTANTS
from tests.payments.checkout.truth import faults_of
from tests.payments.simulated_faults import Crash, Mortal, MortalBooks, Process
from tests.payments.simulation import Size, World, live_a_round, require_one_life, schedule
from tests.release import so_many

DAILY = Size(payments=12, crash=0.03, fault=0.03, days=4, due_over=3, good_days=8)
CUSTOMERS = int(os.environ.get("BILLCLOSE_TEST_SIMULATED_CUSTOMERS", "300"))  # 10,000 by hand
MANY = Size(
    payments=CUSTOMERS, crash=0.004, fault=0.004, batch=200, days=14, due_over=10, good_days=12,
    steps=(400, 3_600, 9 * 3_600, 9 * 3_600, 26 * 3_600),
)  # fmt: skip
TINY = Size(payments=2, crash=0.08, fault=0.03, days=1, due_over=1, good_days=1)
HARD = Size(payments=6, crash=0.01, fault=0.02, days=3, due_over=2, good_days=6)


@pytest.mark.parametrize("seed", range(11, 11 + so_many(1, release=3)))
def test_every_cent_is_equal_in_gateway_books_and_cash_receipting(tmp_path, empty_sqlite, seed):
    world, payers = bad_days(tmp_path / "world", empty_sqlite, seed, DAILY, acts=5)

    assert [] == list(faults_of(world, payers))
    assert world.weather.crashes.total() > 5
    assert figures(world)["several lines taken"] > 1
    assert figures(world)["went back"] > 1
    world.close()


def test_a_seed_lives_the_same_days_whichever_way_unordered_rows_come(tmp_path, empty_sqlite):
    one, _ = bad_days(tmp_path / "one", empty_sqlite, 2, TINY, acts=5)
    with sqlite_reads(backwards=False):
        other, _ = bad_days(tmp_path / "other", empty_sqlite, 2, TINY, acts=5)

    require_one_life(one, other)


def test_what_is_drawn_tomorrow_waits_in_the_evening_though_tomorrow_has_begun_elsewhere(
    tmp_path, empty_sqlite
):
    shutil.copy(empty_sqlite, tmp_path / "books.db")
    world = World(tmp_path, 2, Size(payments=3, due_over=1))
    world.weather.is_calm = True
    schedule(world)
    payers = Payers(world)
    with world.books.reading() as books:
        day = books.scalar(sa.select(sa.func.min(gateway_payment.c.pay_on)))
    list(world.gateway.settlements(NOW.date()))  # makes its books
    evening = datetime.combine(day, time(3), UTC)  # eight o'clock of the day before, in Denver
    found = []
    for world.now in (evening, evening + timedelta(hours=3, minutes=59)):
        live_a_round(world)
        found.append((figures(world)["taken by autopay"], list(faults_of(world, payers))))
    world.now += timedelta(minutes=1)
    late = {fault.partition(":")[0] for fault in faults_of(world, payers)}
    live_a_round(world)

    assert [(0, []), (0, [])] == found
    assert {"never ended", "the gateway and the books differ"} == late
    assert 0 < figures(world)["taken by autopay"]
    world.close()


@pytest.mark.parametrize("token", ["tok_ok", "tok_lost_response", "tok_expired_card"])
def test_a_process_may_die_at_each_boundary_of_a_payment(tmp_path, empty_sqlite, token):
    """Die once at each boundary of a cart's payment, one after the other; then look again."""
    shutil.copy(empty_sqlite, tmp_path / "books.db")
    world = World(tmp_path, 2, Size(payments=2, due_over=1))
    world.weather.is_calm = True
    schedule(world)
    with world.books.writing() as books:
        books.execute(gateway_payment.delete())  # autopay has nothing to do here
    payers = Payers(world)
    owner, mine = payers.owners[1]
    lines = [PayLine(key, key, Money(1_00)) for key in mine if key not in payers.blocked]
    lines.append(PayLine("", "", Money(2_00), "shelter", "Shelter"))
    mine_of = payers.method_of(owner, token)

    died: list[str] = []
    while len(died) == len(payers.keys):
        key = payers.record(owner, lines, mine_of, OFFICE)
        process = Doomed(world.weather, len(died))
        try:
            confirm_checkout(
                MortalBooks(world.books, process), Mortal(world.gateway, process),
                key, owner, world.clock, world.terms, OFFICE,
            )  # fmt: skip
        except Crash as crash:
            died.append(str(crash))
        world.now += timedelta(minutes=6)
        abandon_dead_checkouts(world.books, world.now)
        live_a_round(world)
    world.now += timedelta(hours=1)
    live_a_round(world)

    commit = ["before a commit", "after a commit"]
    answered = ["after confirm"] if token != "tok_lost_response" else []
    asked = ["before prepare", "after prepare", *commit, "before confirm", *answered]
    assert [*commit, *asked, *commit] == died
    assert [] == list(faults_of(world, payers))
    world.close()


class Doomed(Process):
    """A process that dies at the boundary of a number."""

    def __init__(self, weather, number: int) -> None:
        super().__init__(weather)
        self.left = number

    def pass_by(self, boundary: str) -> None:
        if not self.is_alive or self.left == 0:
            self.is_alive = False
            raise Crash(boundary)
        self.left -= 1


@pytest.mark.release
@pytest.mark.timeout(max(900, CUSTOMERS))
def test_a_city_pays_in_every_bad_way(tmp_path, empty_sqlite):
    acts = max(CUSTOMERS // 40, 5)
    world, payers = bad_days(tmp_path / "world", empty_sqlite, 5, MANY, acts)

    found = Counter(fault.partition(":")[0] for fault in faults_of(world, payers))
    print(world.figures(), figures(world), dict(payers.acts))
    assert {} == found
    assert 0 not in figures(world).values()
    world.close()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_each_mistake_can_still_be_made(monkeypatch, mutant):
    """Most are caught before a release alone: until then their lines may have changed."""
    mutant.apply(monkeypatch)


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(one, id=one.name, marks=pytest.mark.release if place else ())
        for place, one in enumerate(MUTANTS)
    ],
)
def test_the_simulation_catches_a_checkout_that(tmp_path, empty_sqlite, monkeypatch, mutant):
    mutant.apply(monkeypatch)

    found: set[str] = set()
    for seed in range(1, 9):
        world, payers = bad_days(tmp_path / str(seed), empty_sqlite, seed, HARD, acts=6)
        found |= {fault.partition(":")[0] for fault in faults_of(world, payers)}
        world.close()
        if mutant.does in found:
            break

    assert mutant.does in found


def figures(world):
    several = sa.select(checkout_line.c.checkout).where(checkout_line.c.number == 2)
    taken = gateway_payment.c.taken_at.is_not(None)
    by_hand = (
        sa.select(sa.func.count())
        .select_from(checkout)
        .join(gateway_payment, gateway_payment.c.key == checkout.c.payment_key)
        .where(taken)
    )
    by_autopay = sa.select(sa.func.count()).where(
        taken, gateway_payment.c.kind == PaymentKind.AUTOPAY
    )
    with world.books.reading() as books:
        return {
            "taken by hand": books.scalar(by_hand),
            "of guests": books.scalar(by_hand.where(checkout.c.guest != "")),
            "several lines taken": books.scalar(by_hand.where(checkout.c.key.in_(several))),
            "taken by autopay": books.scalar(by_autopay),
            "refused": books.scalar(
                sa.select(sa.func.count()).where(checkout.c.state == "refused")
            ),
            "went back": books.scalar(sa.select(sa.func.count()).select_from(payment_event)),
        }
