"""Two sessions on one account: whoever moves money waits, then sees what the other one did."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from billing_system.closing import _move_balances
from database.books import Database
from database.ledger.entries import outstanding_sums, record_entries
from database.ledger.matching import read_staged
from database.queries.balances import open_balance
from database.tables import balance_due, gateway_payment, period_close
from domain.money import Money
from domain.runs import RunState
from payments.collecting.claiming import claim_due, due_keys
from payments.collecting.draws import lock_draws
from tests.builders import NOW, RUN, a_household, an_entry, stage_run
from tests.database.two_sessions import Session, together
from tests.payments.collecting_builders import PAY_DAY, TERMS, a_collector, paying

NEXT = "2026-11"


@pytest.fixture
def town(database, tmp_path):
    """Account 1 owes 80.00, its payment is due, and the next period waits to be closed."""
    if database.is_sqlite:
        pytest.skip("one session writes at a time on SQLite")
    office = a_collector(database, tmp_path, paying("1"))
    stage_run(
        database, a_household("1"), period=NEXT, ends_on=PAY_DAY.date() + timedelta(days=20),
        due_on=PAY_DAY.date() + timedelta(days=40), state=RunState.APPROVED,
    )  # fmt: skip
    return office


def pay(amount: str = "-80.00", key: str = "feed/1") -> Callable[[Any], Any]:
    return lambda books: record_entries(books, [an_entry(key, amount)], now=NOW, who="anna")


def close_next(books: Any) -> None:
    books.execute(period_close.insert().values(period=NEXT, closed_at=PAY_DAY, closed_by="anna"))
    _move_balances(books, read_staged(books, NEXT, 3))


def open_of(database: Database, key: str = "1") -> str:
    """What is open; its sums must be those of its entries."""
    with database.reading() as books:
        mine = balance_due.c.account_key == key
        row = books.execute(sa.select(balance_due, open_balance().label("open")).where(mine)).one()
        sums = {one.account_key: one for one in books.execute(outstanding_sums())}
    if key in sums:
        assert (sums[key].added, sums[key].paid) == (row.added, row.paid)
    return str(row.open)


def claim(office: Any) -> list[Money]:
    with office.database.reading() as books:
        due = books.execute(due_keys(RUN, PAY_DAY.date())).all()
    found = claim_due(office.database, RUN, PAY_DAY.date(), PAY_DAY, TERMS, due)
    return [one.amount for one in found.draws]


def test_a_claim_waits_for_a_payment_that_is_being_written_and_draws_nothing(town):
    drawn = together(town.database, pay(), lambda: claim(town))

    assert ([], "not drawn: paid-meanwhile") == (drawn, town.payment().error)


def test_a_claim_draws_what_a_payment_that_is_being_written_leaves(town):
    assert [Money(30_00)] == together(town.database, pay("-50.00"), lambda: claim(town))


def test_a_payment_that_is_recorded_while_a_close_publishes_is_not_lost(town):
    together(town.database, close_next, Session(town.database, pay()).run)

    with town.database.reading() as books:
        row = books.execute(sa.select(balance_due)).one()
    assert (NEXT, Money(80_00), "0.00") == (row.period, row.paid, open_of(town.database))


def test_a_close_waits_for_a_payment_that_is_being_written_and_carries_it(town):
    def close() -> None:
        Session(town.database, close_next).run()

    together(town.database, pay(), close)

    assert "0.00" == open_of(town.database)


def test_a_claim_of_the_older_period_waits_for_the_close_and_draws_nothing(town):
    drawn = together(town.database, close_next, lambda: claim(town))

    assert ([], "not drawn: balance-moved") == (drawn, town.payment().error)


def test_a_payment_of_an_account_without_a_balance_is_waited_for(town):
    second = an_entry("feed/2", "-5.00", account_key="new")
    first = an_entry("feed/1", "-7.00", account_key="new")

    def record(entry: Any) -> Callable[[Any], Any]:
        return lambda books: record_entries(books, [entry], now=NOW, who="anna")

    together(town.database, record(first), Session(town.database, record(second)).run)

    assert "-12.00" == open_of(town.database, "new")


def test_an_answer_and_a_payment_of_the_counter_take_their_locks_in_one_order(town):
    """Balances before draws: the other way about, one of the two would be a deadlock."""
    town.collect()

    def answer(books: Any) -> None:
        lock_draws(books, gateway_payment.c.account_key == "1")

    together(town.database, answer, Session(town.database, pay("-1.00")).run)

    assert "-1.00" == open_of(town.database)


def test_collectors_a_feed_and_a_close_at_once_never_lose_a_cent(town):
    """Case 38: whatever the order, the sums are those of the entries and nothing is over-drawn."""
    drawn: list[Money] = []
    for number in range(20):
        work: list[Callable[[], Any]] = [
            lambda: drawn.extend(claim(town)),
            lambda: drawn.extend(claim(town)),
            Session(town.database, pay("-3.00", f"feed/{number}")).run,
            Session(town.database, pay("2.00", f"charge/{number}")).run,
        ]
        if number == 10:
            work.append(Session(town.database, close_next).run)
        failures: list[BaseException] = []
        threads = [threading.Thread(target=_guarded(one, failures)) for one in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [] == failures
        open_of(town.database)

    assert 1 == len(drawn)
    assert drawn[0] in (Money(77_00), Money(80_00), Money(79_00))  # by who came first


def _guarded(work: Callable[[], Any], failures: list[BaseException]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    return run
