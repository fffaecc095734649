"""Whoever changes something of an account keeps true what it is found by, at once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from database.queries.customers.findable import forget_period, rows_in_force
from database.queries.customers.search import find_customers
from database.tables import account_search
from domain.customer_service import CustomerSearch, StaffAct
from domain.identity import LinkProof, UserState
from identity.account_links import add_link, unlink_account
from identity.customer_service.locking import delete_user, lock_user, unlock_user
from identity.users import change_state, make_user
from office.lookup.finding import find_accounts
from rules.customer_search import search_words
from tests.billing_system.feed.builders import tell_change
from tests.builders import NOW, a_household, close_run, stage_run

ANN, BOB = "ann@portal.example", "bob@portal.example"
ACT = StaffAct("csr 1", "misuse")
LATER = NOW + timedelta(days=3)


@pytest.fixture
def town(database):
    stage_run(
        database,
        a_household("1", mandates=(), links=((ANN, False),), name="Abbott, Ann"),
        a_household("2", mandates=(), name="Olsen, Bob"),
    )
    close_run(database)
    with database.writing() as books:
        make_user(books, ANN, NOW, UserState.ACTIVE)
        bob = make_user(books, BOB, NOW, UserState.INVITED)
        add_link(books, bob, "2", LinkProof.NAME, NOW, "the customer")
    return database


def state(user: int, new: UserState):
    return lambda books: change_state(books, user, new)


def next_close(town, name: str) -> None:
    stage_run(town, a_household("2", mandates=(), name=name), period="2026-11",
              ends_on=date(2026, 11, 30), due_on=date(2026, 12, 20))  # fmt: skip
    close_run(town, "2026-11")


def told(field: str, value: str):
    return lambda town: tell_change(town, field, value, LATER)


def done(*acts):
    def do(town):
        for act in acts:
            with town.writing() as books:
                act(books)

    return do


@pytest.mark.parametrize(
    ("act", "typed", "found"),
    [
        pytest.param(told("name", "Zeller, Zoë"), "zoe zeller", ["1"], id="a name"),
        pytest.param(told("email", "new@example.net"), "new@example.net", ["1"], id="an address"),
        pytest.param(told("mailing_address", "PO Box 99"), "box 99", ["1"], id="where bills go"),
        pytest.param(told("name", "Zeller, Zoë"), "abbott", [], id="no more by the old name"),
        pytest.param(done(state(2, UserState.ACTIVE)), BOB, ["2"], id="an invited who came"),
        pytest.param(
            done(state(2, UserState.ACTIVE), lambda b: unlink_account(b, 2, "2", LATER, "bob")),
            BOB, [], id="own link taken away",
        ),
        pytest.param(
            done(lambda b: unlink_account(b, 1, "1", LATER, "ann")), ANN, [],
            id="the export's link taken away",
        ),
        pytest.param(
            done(lambda b: unlink_account(b, 1, "1", LATER, "ann"),
                 lambda b: add_link(b, 1, "1", LinkProof.NAME, LATER, "ann")),
            ANN, ["1"], id="linked again",
        ),
        pytest.param(
            done(lambda b: add_link(b, 1, "2", LinkProof.NAME, LATER, "ann")), ANN, ["1", "2"],
            id="a second account",
        ),
        pytest.param(done(lambda b: lock_user(b, 1, ACT, LATER)), ANN, ["1"], id="locked"),
        pytest.param(done(lambda b: delete_user(b, 1, ACT, LATER)), ANN, [], id="deleted"),
        pytest.param(
            done(lambda b: delete_user(b, 1, ACT, LATER), lambda b: unlock_user(b, 1, ACT, LATER)),
            ANN, ["1"], id="brought back",
        ),
        pytest.param(lambda town: next_close(town, "Olsen, Bo"), "olsen", ["2"], id="next close"),
    ],
)  # fmt: skip
def test_rules_170_and_171_an_account_is_found_by_what_is_in_force_of_it(town, act, typed, found):
    act(town)

    with town.reading() as books:
        assert found == [one.account for one in find_accounts(books, typed).accounts]
        assert_true(books)


def test_both_searches_mean_the_same_by_what_is_typed(town):
    tell_change(town, "name", "O'Néil-Zeller, Zoë", LATER)

    for typed in ("oneilzeller", "zoe, o’neil", "O'NEIL", "zeller zo"):
        with town.reading() as books:
            found = find_accounts(books, typed).accounts
            asked = find_customers(books, CustomerSearch(search_words(typed)))
        assert ["1"] == [one.account for one in found] == [one.account for one in asked.rows]


def test_after_an_undo_what_was_told_and_linked_since_is_not_forgotten(town):
    next_close(town, "Olsen, Bo")
    tell_change(town, "name", "Zeller, Zoë", LATER)
    with town.writing() as books:
        add_link(books, 1, "2", LinkProof.NAME, LATER, "ann")

    with town.writing() as books:
        forget_period(books, "2026-11")

    with town.reading() as books:
        assert ["1"] == [one.account for one in find_accounts(books, "zeller").accounts]
        assert ["1", "2"] == [one.account for one in find_accounts(books, ANN).accounts]
        assert_true(books)


def assert_true(books) -> None:
    """Compare every row that accounts are found by with what it would be, made now."""
    kept = {tuple(row) for row in books.execute(account_search.select())}
    made = {row for key, period, *_ in sorted(kept) for row in rows_in_force(books, period, [key])}
    assert made == kept and kept
