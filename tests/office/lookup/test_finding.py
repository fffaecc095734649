"""Accounts are found by whatever a caller knows, on either database."""

from __future__ import annotations

from datetime import date

import pytest

from database.books import insert_rows
from database.queries.customers.findable import forget_period, make_findable
from database.tables import account_search, gateway_payment, movement
from domain.accounts import AccountStatus
from domain.customer_service import FoundBy
from domain.failures import Misuse
from domain.money import ZERO, Money
from office.lookup.finding import find_accounts
from tests.builders import NOW, RUN, a_household, a_mandate, close_run, stage_run

GARCIA = a_household(
    "01.1037.1", a_mandate("01.1037.1", last4="4242"), name="García López, Zoë",
    last_name="García López", service_address="2172 Canyon St #4", phone="(970) 555-0148",
    email="zoe@example.com",
)  # fmt: skip
SVEN = a_household(
    "01.1099.2", mandates=(), name="Beltran, Sven", last_name="Beltran",
    service_address="2172 Canyon St #9", phone="970.555.0199", email="sven.beltran@example.com",
    links=[("Lena@example.org", True)], cosigner_id="C-7",
)  # fmt: skip
CLOSED = a_household(
    "02.0001.3", mandates=(), name="Moved, Out", last_name="Moved",
    service_address="9 Depot St", phone="", email="", status=AccountStatus.CLOSED,
)  # fmt: skip


@pytest.fixture
def books(database):
    stage_run(database, GARCIA, SVEN, CLOSED, landlords=[("C-7", "Landlord@example.net")])
    close_run(database)
    return database


def numbers(database, text):
    with database.reading() as opened:
        return [found.account for found in find_accounts(opened, text).accounts]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("01.1037.1", ["01.1037.1"]),
        ("01-1037-1", ["01.1037.1"]),
        ("0110371", ["01.1037.1"]),
        ("1037", ["01.1037.1"]),
        ("garcia", ["01.1037.1"]),
        ("GARCÍA", ["01.1037.1"]),
        ("zoe garcia", ["01.1037.1"]),
        ("sven, beltran", ["01.1099.2"]),
        ("2172 canyon", ["01.1037.1", "01.1099.2"]),
        ("beltran canyon", ["01.1099.2"]),
        ("canyon st #9", ["01.1099.2"]),
        ("sven.beltran@", ["01.1099.2"]),
        ("970 555 0148", ["01.1037.1"]),
        ("555-0199", ["01.1099.2"]),
        ("lena@", ["01.1099.2"]),
        ("landlord@", ["01.1099.2"]),
        ("4242", ["01.1037.1"]),
        ("depot", ["02.0001.3"]),
        ("100%", []),
        ("can_on", []),
        ("nobody of that name", []),
    ],
)
def test_an_account_is_found_by_a_part_of_what_is_known(books, text, found):
    """Rules 124, 170, 171."""
    assert found == numbers(books, text)


def test_what_was_found_says_by_what(books):
    with books.reading() as opened:
        (sven,) = find_accounts(opened, "beltran").accounts

    assert (FoundBy.NAME, FoundBy.EMAIL) == sven.found_by


def test_too_little_is_refused_in_a_sentence(books):
    with pytest.raises(Misuse, match="type three letters or digits at least"):
        numbers(books, "ab")


def test_the_likeliest_come_first_and_all_are_counted(books):
    with books.reading() as opened:
        found = find_accounts(opened, "2172", most=1)

    assert (1, 2) == (len(found.accounts), found.total)


def test_a_payment_is_found_by_its_confirmation(books):
    with books.writing() as opened:
        insert_rows(
            opened,
            gateway_payment,
            ["key", "kind", "period", "account_key", "account", "number", "pay_on", "amount",
             "service_fee", "method_token", "method_kind", "last4", "immediate", "state",
             "confirmation", "scheduled_at", "taken_at"],
            [("autopay/1", "autopay", RUN, "0110992", "01.1099.2", 1, date(2026, 11, 15),
              Money(8000), ZERO, "tok", "card", "1881", False, "succeeded", "SBX-90017", NOW, NOW)],
        )  # fmt: skip

    assert ["01.1099.2"] == numbers(books, "sbx-900") == numbers(books, "1881")


def test_an_account_is_found_as_its_newest_period_has_it(books):
    moved = a_household(
        "01.1037.1", mandates=(), name="Moss, Ida", last_name="Moss", service_address="1 Quarry Rd"
    )
    stage_run(books, moved, period="2026-11", ends_on=date(2026, 11, 30), due_on=date(2026, 12, 20))
    before = numbers(books, "moss")
    close_run(books, "2026-11")

    assert [] == before
    assert ["01.1037.1"] == numbers(books, "moss")
    assert [] == numbers(books, "garcia")
    assert ["01.1099.2"] == numbers(books, "beltran")


def test_a_forgotten_older_period_changes_nothing_of_what_is_found(books):
    older = a_household("01.1037.1", mandates=(), name="Before, Anna", last_name="Before")
    stage_run(books, older, period="2026-09", ends_on=date(2026, 9, 30), due_on=date(2026, 10, 20))
    close_run(books, "2026-09")

    assert [] == numbers(books, "before")
    assert ["01.1037.1"] == numbers(books, "garcia")


def test_after_an_undo_accounts_are_found_as_before(books):
    moved = a_household("01.1037.1", mandates=(), name="Moss, Ida", last_name="Moss")
    stage_run(books, moved, period="2026-11", ends_on=date(2026, 11, 30), due_on=date(2026, 12, 20))
    close_run(books, "2026-11")

    with books.writing() as opened:
        forget_period(opened, "2026-11")

    assert [] == numbers(books, "moss")
    assert ["01.1037.1"] == numbers(books, "garcia")


def test_looked_through_anew_nothing_is_there_twice(books):
    make_findable(books, "2026-10")

    with books.reading() as opened:
        rows = opened.execute(account_search.select()).all()
    assert 3 == len(rows)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("W-20771", ["01.1037.1"]),
        ("w20771", ["01.1037.1"]),
        ("2077", ["01.1037.1", "01.1099.2"]),  # on both of their meters
        ("g 2077", []),  # a word beside it: no meter's number
        ("20 771", ["01.1037.1"]),  # with spaces
        ("canyon 771", []),  # beside a street it is a house's number
        ("W-11", []),  # of a month ago, and changed since
    ],
)
def test_an_account_is_found_by_its_meter_whole_or_in_part(metered, text, found):
    assert found == numbers(metered, text)


def test_a_meter_is_said_to_be_what_an_account_was_found_by(metered):
    with metered.reading() as opened:
        (garcia,) = find_accounts(opened, "w20771").accounts

    assert (FoundBy.METER,) == garcia.found_by


@pytest.fixture
def metered(database):
    """Two accounts whose meters stand in what October billed; one had another in September."""
    for period, month, meters in (
        ("2026-09", 9, {"0110371": "W-11"}),
        (RUN, 10, {"0110371": "W-20771", "0110992": "G.2077-5"}),
    ):
        ends_on = date(2026, month, 30)
        stage_run(database, GARCIA, SVEN, period=period, ends_on=ends_on)
        with database.writing() as opened:
            lines = [
                (period, line, key, key, ends_on, "WATER", "", "billing", ZERO, meter)
                for line, (key, meter) in enumerate(meters.items(), 100)
            ]
            insert_rows(opened, movement, MOVED, lines)
        close_run(database, period)
    return database


MOVED = (
    *("period", "line", "account_key", "account", "posted_on", "service", "description", "kind"),
    *("amount", "meter"),
)
