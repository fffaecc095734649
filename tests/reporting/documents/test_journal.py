"""The journal: it balances, and each of its accounts holds what the books say."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from database.tables import balance_due
from domain.money import ZERO, Money
from reporting.documents.journal import (
    BANK,
    BILLED,
    CLEARING,
    GATEWAY_FEES,
    RETURN_FEES,
    Journal,
    write_hledger,
)
from reporting.run_sheet.ledger import read_money
from tests.builders import RUN, a_household, close_run, stage_run
from tests.payments.simulated_truth import gateway_rows
from tests.payments.simulation import Size, simulate

DENVER = ZoneInfo("America/Denver")
QUIET = Size(  # it ends with payouts still to come
    payments=120, crash=0.0, fault=0.0, outage=0.0, days=19, due_over=20, good_days=1, more_days=0
)
NOT_PAID_OUT = """
SELECT SUM(cents) FROM movement WHERE pays_out_on > '{today}' AND (cents > 0 OR EXISTS
(SELECT 1 FROM event WHERE event.draw = movement.draw AND happened_at <= '{now}'))
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory, empty_sqlite):
    """A period with payments, declines, returns, fees and payouts, some of them still to come."""
    world = simulate(tmp_path_factory.mktemp("city") / "world", empty_sqlite, 12, QUIET)
    yield world
    world.close()


@pytest.fixture
def hledger():
    program = shutil.which("hledger")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("hledger is not installed")
        pytest.skip("hledger is not installed")
    return program


def journal_of(database, period=None):
    with database.reading() as books:
        return list(Journal(books, DENVER, period).transactions())


def held(transactions):
    accounts = Counter()
    for one in transactions:
        for entry in one.entries:
            accounts[entry.account] += entry.amount.cents
    return accounts


def test_every_transaction_comes_to_zero_and_days_go_forward(city):
    transactions = journal_of(city.books)

    sums = {Money.total(entry.amount for entry in one.entries) for one in transactions}
    assert {ZERO} == sums
    assert sorted(one.on for one in transactions) == [one.on for one in transactions]
    whats = {one.what for one in transactions}
    assert {"bill", "payment", "return", "charge-back", "return fee", "payout"} == whats


def test_our_money_is_the_same_in_all_three_books(city):
    with city.books.reading() as books:
        money = read_money(books)

    kept = money.taken - money.given_back
    assert kept == money.in_exports + money.outstanding
    assert kept == money.receipts - money.reversals + money.unposted
    assert (money.taken > ZERO, money.given_back > ZERO) == (True, True)


def test_an_account_owes_what_the_books_say(city):
    accounts = held(journal_of(city.books))

    with city.books.reading() as books:
        owed = {
            f"assets:receivable:{row.account}": (row.amount_due + row.added - row.paid).cents
            for row in books.execute(sa.select(balance_due))
        }
    receivable = {name: cents for name, cents in accounts.items() if name in owed}
    assert owed == receivable


def test_clearing_holds_what_is_not_paid_out_yet(city):
    accounts = held(journal_of(city.books))

    today = city.now.astimezone(ZoneInfo("America/New_York")).date()
    query = NOT_PAID_OUT.format(today=today, now=city.now.isoformat())
    on_the_way = gateway_rows(city.gateway_file, query)
    assert on_the_way[0][0] == accounts[CLEARING] > 0
    assert accounts[BANK] > 0
    assert accounts[GATEWAY_FEES] > 0
    assert accounts[RETURN_FEES] < 0


def test_hledger_finds_nothing_wrong_with_it(city, hledger, tmp_path):
    file = tmp_path / "books.journal"
    with city.books.reading() as books:
        file.write_text("".join(write_hledger(Journal(books, DENVER).transactions())))

    checked = subprocess.run(
        [hledger, "-f", file, "check", "--strict"], capture_output=True, text=True, check=False
    )
    balance = subprocess.run(
        [hledger, "-f", file, "balance", "--empty", "--format", "%(total)", CLEARING, "--no-total"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert (0, "") == (checked.returncode, checked.stderr)
    assert Money(held(journal_of(city.books))[CLEARING]) == Money.parse(balance.stdout)


def test_a_wrong_balance_is_found(city, hledger, tmp_path):
    file = tmp_path / "books.journal"
    with city.books.reading() as books:
        text = "".join(write_hledger(Journal(books, DENVER).transactions()))
    file.write_text(text.replace("payment\n    assets:receivable", "payment\n    assets:bank", 1))

    checked = subprocess.run([hledger, "-f", file, "check", "--strict"], capture_output=True)

    assert checked.returncode != 0


def test_a_later_bill_takes_the_place_of_what_was_open(database):
    november = {"period": "2026-11", "ends_on": date(2026, 11, 30), "due_on": date(2026, 12, 18)}
    stage_run(database, a_household("01.1037.1", balance="80.00", mandates=()))
    close_run(database)
    stage_run(database, a_household("01.1037.1", balance="95.50", mandates=()), **november)
    close_run(database, "2026-11")

    accounts = held(journal_of(database))

    assert {"assets:receivable:01.1037.1": 95_50, BILLED: -95_50} == dict(accounts)


def test_a_journal_of_one_period_has_its_bills_alone(database):
    november = {"period": "2026-11", "ends_on": date(2026, 11, 30), "due_on": date(2026, 12, 18)}
    stage_run(database, a_household("01.1037.1", balance="80.00", mandates=()))
    close_run(database)
    stage_run(database, a_household("01.1037.1", balance="95.50", mandates=()), **november)
    close_run(database, "2026-11")

    assert [f"{RUN}/0110371"] == [one.code for one in journal_of(database, RUN)]


def test_an_account_number_cannot_break_the_journal(database):
    stage_run(database, a_household("01:1037;  1", balance="80.00", mandates=()))
    close_run(database)

    (bill,) = journal_of(database)

    assert "assets:receivable:01-1037- 1" == bill.entries[0].account
