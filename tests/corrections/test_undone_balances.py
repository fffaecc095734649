"""What an undo does to balances and entries: the ledger's case 37, and what is beside it."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from corrections.undo.looking import UndoBoundary
from corrections.undo.taking_back import UndoTerms, take_back
from database.ledger.entries import find_wrong_sums
from database.ledger.tables import balance_entry
from database.tables import balance_due, bill_run, gateway_payment
from domain.failures import Refused
from domain.money import Money
from domain.payments import PaymentState
from domain.runs import RunState
from tests.billing_system.ledger_town import DECEMBER, NOVEMBER, OCTOBER, a_town, local

NOW = local(12, 2, 9)


@pytest.fixture
def town(database):
    return a_town(database)


def undo(town, period=NOVEMBER, now=NOW, days=5):
    boundary = UndoBoundary(days, now.date())
    terms = UndoTerms(now, "anna", "anna", "Wrong rates", boundary)
    return take_back(town.books, period, lambda _file: False, terms)


def balance(town, account="1"):
    with town.books.reading() as books:
        mine = balance_due.c.account_key == account
        row = books.execute(sa.select(balance_due).where(mine)).one()
    return row.period, str(row.amount_due), str(row.added), str(row.paid), row.due_on


def marks(town, period):
    with town.books.reading() as books:
        of = balance_entry.c.in_export_of == period
        return list(books.scalars(sa.select(balance_entry.c.key).where(of)))


def test_case_37_undo_of_november_after_a_draw_gives_octobers_row_back(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)
    assert "60.00" == town.open()

    undo(town)

    october = (OCTOBER, "100.00", "0.00", "100.00", date(2026, 11, 20))
    assert (october, "0.00", []) == (balance(town), town.open(), marks(town, NOVEMBER))


def test_what_the_export_contained_is_outstanding_again_and_contained_at_the_next_close(town):
    town.draw("100.00", local(11, 30, 8), posted=local(11, 30, 8, 1))
    line = ((date(2026, 11, 30), "-100.00", "SB1"),)
    town.export(NOVEMBER, "60.00", line)
    town.close(NOVEMBER)

    undo(town)
    after_undo = balance(town)[3], marks(town, NOVEMBER)
    town.close(NOVEMBER)

    assert ("100.00", []) == after_undo
    assert ("60.00", 1) == (town.open(), len(marks(town, NOVEMBER)))


def test_a_draw_of_the_undone_period_counts_as_paid_when_it_is_closed_again(town):
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)
    town.payments_of = NOVEMBER
    town.draw("160.00", local(12, 1, 12))

    undo(town)
    meanwhile = town.open()
    town.close(NOVEMBER, local(12, 3, 9))

    assert ("-60.00", "0.00") == (meanwhile, town.open())


def test_what_the_feed_told_before_the_export_is_open_again_over_octobers_bill(town):
    town.told("1", "-40.00", date(2026, 11, 10), local(11, 11))
    town.export(NOVEMBER, "120.00")
    town.close(NOVEMBER)

    undo(town)

    assert ("60.00", "40.00") == (town.open(), balance(town)[3])


def test_an_account_without_a_bill_before_keeps_its_row_and_what_was_paid(town):
    town.export(NOVEMBER, "160.00", accounts=("1", "2"))
    town.close(NOVEMBER)
    town.told("2", "-30.00", date(2026, 12, 1), local(12, 1, 20), account="2")

    undo(town)

    assert (None, "0.00", "0.00", "30.00", None) == balance(town, "2")
    town.close(NOVEMBER, local(12, 3, 9))
    assert ("130.00", "160.00") == (town.open("2"), town.open("1"))


def test_an_agreed_amount_is_asked_again_as_before(database):
    agreed = {"equal_pay_amount": Money(45_00)}
    town = a_town(database, **agreed)
    town.draw("45.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00", **agreed)
    town.close(NOVEMBER)
    assert "45.00" == town.open()

    undo(town)

    assert ("0.00", "45.00") == (town.open(), balance(town)[3])


def test_all_sums_are_those_of_their_entries_and_the_period_waits_for_a_person(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00", accounts=("1", "2", "3"))
    town.close(NOVEMBER)

    undo(town)

    with town.books.reading() as books:
        run = books.execute(sa.select(bill_run).where(bill_run.c.period == NOVEMBER)).one()
        assert ([], RunState.REFUSED, None) == (find_wrong_sums(books), run.state, run.approved_by)


def test_what_waits_is_cancelled_and_what_was_drawn_stays(town):
    town.export(NOVEMBER, "160.00", accounts=("1", "2"))
    town.close(NOVEMBER)
    town.payments_of = NOVEMBER
    drawn = town.draw("160.00", local(12, 1, 12))
    waiting = town.draw("160.00", local(12, 1, 12), account="2", reference="SB2")
    with town.books.writing() as books:
        row = gateway_payment.c
        back = {"state": PaymentState.SCHEDULED, "confirmation": None, "taken_at": None}
        books.execute(gateway_payment.update().where(row.key == waiting).values(**back))

    plan = undo(town)

    with town.books.reading() as books:
        states = dict(books.execute(sa.select(row.key, row.state)).all())
    assert {drawn: PaymentState.SUCCEEDED, waiting: PaymentState.CANCELLED} == states
    assert (1, Money(160_00)) == (plan.payments, plan.payments_amount)


@pytest.mark.parametrize(
    ("day", "is_refused"), [(1, False), (5, False), (6, True)], ids=["day 1", "day 5", "day 6"]
)
def test_a_close_can_be_taken_back_for_five_days(town, day, is_refused):
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)
    before = balance(town)

    if not is_refused:
        undo(town, now=local(12, day, 12))
        assert OCTOBER == balance(town)[0]
        return
    with pytest.raises(Refused, match=r"taken back until 2026-12-05 \(undo.days = 5\)") as refused:
        undo(town, now=local(12, day, 9))
    assert ("undo-too-late", before) == (refused.value.code, balance(town))


def test_a_later_close_of_one_of_its_accounts_stands_in_the_way(town):
    town.export(NOVEMBER, "160.00", accounts=("1", "2"))
    town.close(NOVEMBER)
    town.export(DECEMBER, "200.00", accounts=("2",), written_at=local(12, 2, 7))
    town.close(DECEMBER, local(12, 2, 8))

    with pytest.raises(Refused, match="2026-12 is closed since, with account 2") as refused:
        undo(town)

    assert ("later-close", NOVEMBER) == (refused.value.code, balance(town)[0])


def test_a_later_close_of_other_accounts_does_not(town):
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)
    town.export(DECEMBER, "200.00", accounts=("9",), written_at=local(12, 2, 7))
    town.close(DECEMBER, local(12, 2, 8))

    undo(town)

    assert (OCTOBER, DECEMBER) == (balance(town)[0], balance(town, "9")[0])


def test_undone_twice_each_time_the_bill_before_stands(town):
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)
    undo(town)
    town.close(NOVEMBER, local(12, 3, 9))

    plan = undo(town, now=local(12, 4, 9))

    assert (2, OCTOBER) == (plan.number, balance(town)[0])
