"""The figures of the ledger in a report add up, line by line."""

from __future__ import annotations

from datetime import date

from domain.money import ZERO, Money
from reporting.run_sheet.ledger import read_ledger
from tests.billing_system.ledger_town import NOVEMBER, OCTOBER, a_town, local


def sheet(town, period=NOVEMBER):
    with town.books.reading() as books:
        return read_ledger(books, period)


def test_what_is_open_is_the_amounts_due_with_what_is_carried_and_what_came_since(database):
    town = a_town(database, accounts=("1", "2"))
    payment = town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00", accounts=("1", "2"))
    town.close(NOVEMBER)
    town.back(payment, "30.00", local(12, 3))
    town.told("m1", "-20.00", date(2026, 12, 4), local(12, 4, 18), account="2")

    found = sheet(town)

    assert (Money(320_00), Money(-100_00)) == (found.due, found.carried)
    assert (("payment", Money(-20_00)), ("return", Money(30_00))) == found.since
    assert Money(230_00) == found.open


def test_the_export_comes_down_to_the_amounts_due(database):
    agreed = {"equal_pay_amount": Money(45_00)}
    town = a_town(database, **agreed)
    town.export(NOVEMBER, "160.00", **agreed)
    town.close(NOVEMBER)

    found = sheet(town)

    assert (Money(160_00), ZERO, Money(115_00)) == (
        found.closing_balance, found.closed_accounts, found.agreed,
    )  # fmt: skip
    assert found.due == found.closing_balance - found.closed_accounts - found.agreed


def test_a_period_that_others_followed_has_nothing_open_any_more(database):
    town = a_town(database)
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)

    found = sheet(town, OCTOBER)

    assert (ZERO, ZERO, (), ZERO) == (found.due, found.carried, found.since, found.open)
