"""A page whose rows are chosen by little is the page of the whole list, row for row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from database.definitions.identity import account_link, landlord_link, web_user
from database.queries.mandates import accounts_agreed, mandates_in_force
from database.tables import balance_due, enrollment, enrollment_end
from domain.identity import LinkProof, UserState
from domain.payments import MethodKind
from reporting.lists.catalog import LISTS
from tests.builders import NOW, RUN, a_household, a_mandate, close_run, stage_run
from tests.release import so_many
from web.office import lists
from web.office.lists import ListPage, ListQuery, read_in_two, read_page

IN_TWO = [what for what, listing in LISTS.items() if listing.bare or listing.is_named]
OF_PEOPLE = [what for what in IN_TWO if LISTS[what].bare]
NAMED = ("outsorted", "exceptions")  # the others with names are read in the same way
ACCOUNTS, SEEDS = 14, so_many(1, release=8)
NUMBERS = [f"01.{1000 + at}.{at % 9}" for at in range(ACCOUNTS)]
FIRST, LAST, STANDING = NUMBERS[0], NUMBERS[-1], NUMBERS[:5]
DAYS = [date(2026, 1, 1) + timedelta(days=60 * at) for at in range(4)]


def town(database, seed: int) -> None:
    """Close a month of a town in which all that an office and a portal can know is mixed.

    Whatever the seed, the first bill is held, the first accounts have a mandate of the office in
    force and the last account has none.
    """
    chance = Random(seed)
    households = [
        a_household(
            number,
            mandates=tuple(_mandate(number, chance) for _ in range(_how_many(number, chance))),
            cancelled=tuple(_mandate(number, chance) for _ in range(chance.choice((0, 0, 1)))),
            links=tuple((f"P{at}@x.example", True) for at in chance.sample(range(9), 2)),
            cosigner_id=chance.choice(("", "", "LL1", "LL2")),
            name=f"NAME {number}",
            held=chance.random() < 0.3 or number == FIRST,
        )
        for number in NUMBERS
    ]
    landlords = [("LL1", "p1@x.example"), ("LL2", "owner@x.example")]
    stage_run(database, *households, landlords=landlords)
    close_run(database)
    with database.writing() as books:
        users = [_user(at, chance) for at in range(1, 9)]
        books.execute(web_user.insert(), users)
        for household in households:
            if household.account.number != LAST:
                _agree(books, household, chance)
            for user in chance.sample(users, 2):
                books.execute(account_link.insert().values(_link(user, household.key, chance)))
        owner = {"user_number": 2, "cosigner_id": "LL2", "linked_at": NOW, "linked_by": "anna"}
        books.execute(landlord_link.insert().values(owner))


def _how_many(number: str, chance: Random) -> int:
    """Return how many mandates the export has of an account: none of the last."""
    return 0 if number == LAST else chance.choice((0, 1, 1, 2))


def _mandate(number: str, chance: Random) -> Any:
    return a_mandate(number, enrolled_on=chance.choice(DAYS))


def _user(at: int, chance: Random) -> dict[str, Any]:
    states = (UserState.ACTIVE, UserState.ACTIVE, UserState.LOCKED, UserState.DELETED)
    address = f"P{at}@x.example"
    state = UserState.ACTIVE if at == 2 else chance.choice(states)
    return {"number": at, "mailbox": address.lower(), "address": address, "state": state,
            "made_at": NOW}  # fmt: skip


def _link(user: dict[str, Any], key: str, chance: Random) -> dict[str, Any]:
    gone = chance.choice((None, None, NOW - timedelta(days=9), NOW + timedelta(days=1)))
    return {"user_number": user["number"], "account_key": key, "proof": LinkProof.NAME,
            "linked_at": NOW - timedelta(days=20), "linked_by": "bench",
            "unlinked_at": gone}  # fmt: skip


def _agree(books, household, chance: Random) -> None:
    """Give the office mandates of its own, cancelled ones and one that stands, and end others."""
    stands = household.account.number in STANDING
    if not stands and chance.random() < 0.3:
        books.execute(
            enrollment_end.insert().values(
                account_key=household.key, ended_on=chance.choice(DAYS), ended_at=NOW,
                ended_by="anna", reason="asked",
            )
        )  # fmt: skip
    gone = [True] * chance.choice((0, 0, 1, 3))
    for is_cancelled in [*gone, *([False] if stands or chance.random() < 0.4 else [])]:
        begun = chance.choice(DAYS)
        ended = {"cancelled_on": DAYS[-1], "cancelled_at": NOW} if is_cancelled else {}
        books.execute(
            enrollment.insert().values(
                account_key=household.key, account=household.account.number, portal_user="x",
                method_token="t", method_kind=MethodKind.CARD, last4="4242", days_prior=3,
                enrolled_on=begun, enrolled_at=datetime.combine(begun, NOW.time(), UTC),
                enrolled_by="anna", consent_version="1", consent_text="yes", **ended,
            )
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(SEEDS))
def test_each_page_is_that_of_the_whole_list(database, monkeypatch, seed):
    """All pages of all lists, each way through, and what each says of how many there are."""
    town(database, seed)

    with database.reading() as books:
        held = {what: _read_all(books, monkeypatch, what) for what in IN_TWO}

    assert {*OF_PEOPLE, "outsorted", "exceptions"} <= {
        what for what, total in held.items() if total
    }


def _read_all(books, monkeypatch, what: str) -> int:
    page = ListPage("/list", what, what, "group", "tab")
    shown = LISTS[what].select().subquery()
    bare = LISTS[what].select_bare().subquery()
    total = books.scalar(sa.select(sa.func.count()).select_from(shown))
    for rows in (3, 50):
        monkeypatch.setattr(lists, "ROWS_A_PAGE", rows)
        for number in range(1, -(-total // rows) + 2):
            asked = ListQuery("/list", page=number)
            whole, counted = read_page(books, page, shown, sa.select(shown), asked)
            found = read_in_two(books, page, bare, asked, UTC)
            assert total == counted
            if found is None:  # all of the page is one account's, which has more
                assert rows < 50 and 1 == len({row[LISTS[what].order[0]] for row in whole})
            else:
                assert ([dict(row) for row in whole], total) == (_plain(found[0]), found[1])
    return total


def _plain(rows) -> list[dict[str, Any]]:
    return [{name: row[name] for name in row if name != "_total"} for row in rows]


@pytest.mark.parametrize("what", OF_PEOPLE)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_bare_rows_are_as_many_of_each_as_the_list_has(database, what, seed):
    listing = LISTS[what]
    key = listing.order[0]

    town(database, seed)
    with database.reading() as books:
        bare = sorted(row._mapping[key] for row in books.execute(listing.select_bare()))
        whole = sorted(row._mapping[key] for row in books.execute(listing.select()))
        some = whole[::3]
        few = [row._mapping[key] for row in books.execute(listing.select_of(some))]

    assert whole == bare
    assert len(whole) > 4
    assert sorted(key for key in whole if key in some) == sorted(few)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whoever_has_a_mandate_in_force_is_known_without_looking_which(database, seed):
    """Rules 60, 82."""
    town(database, seed)
    standing = sa.select(balance_due.c.account_key).where(balance_due.c.period == RUN)
    with database.reading() as books:
        agreed = sorted(books.scalars(accounts_agreed()))
        now, then = (
            sorted(row.account_key for row in books.execute(sa.select(mandates_in_force(run))))
            for run in (None, RUN)
        )
        closed = set(books.scalars(standing))

    assert agreed == now == [key for key in then if key in closed]
    assert 0 < len(agreed) < ACCOUNTS


@pytest.mark.parametrize("what", IN_TWO)
def test_bare_rows_have_what_they_are_ordered_and_named_by(what):
    listing = LISTS[what]
    named = {"account", "period", "_account_key"} if listing.is_named else set()

    assert {*listing.order, *named} <= set(listing.select_bare().selected_columns.keys())
