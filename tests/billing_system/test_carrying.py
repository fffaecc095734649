"""What a close carries over: our money that its export does not contain, and nothing else."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from database.ledger.tables import balance_entry
from database.tables import balance_due, gateway_payment, posting
from domain.ledger import ContainedBy
from domain.money import Money
from mail.letters.since_bill import say_since_bill
from mail.rendering.notice_facts import find_facts_of_notice
from tests.billing_system.ledger_town import (
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    W,
    a_town,
    local,
)

LAST = date(2026, 11, 30)


@pytest.fixture
def town(database):
    return a_town(database)


def test_case_1_what_was_drawn_after_the_export_was_written_is_carried(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00")

    town.close(NOVEMBER)

    assert ("60.00", {"taken": None}) == (town.open(), town.how())


def test_its_mails_say_what_the_bill_shows_and_what_was_received_since(town, database):  # case 1
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)

    facts = find_facts_of_notice(
        database, key="k", period=NOVEMBER, account_key="1", address="a@example.com", source=None
    )

    assert (
        "Your bill shows $160.00. We received $100.00 on November 30, 2026, after it was made: "
        "$60.00 is left."
    ) == say_since_bill(facts.since)


def test_case_2_what_the_export_contains_is_not(town):
    town.draw("100.00", local(11, 30, 8), posted=local(11, 30, 8, 1))
    town.export(NOVEMBER, "60.00", ((LAST, "-100.00", "SB1"),))

    town.close(NOVEMBER)

    assert ("60.00", {"taken": "reference"}) == (town.open(), town.how())


def test_case_3_what_was_posted_late_meets_its_line_in_the_next_export(town):
    town.draw("100.00", local(11, 30, 16), posted=local(11, 30, 18, 30))
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)
    assert ("60.00", {"taken": None}) == (town.open(), town.how())

    town.export(DECEMBER, "130.00", ((LAST, "-100.00", "SB1"),), written_at=local(12, 31, 17))
    town.close(DECEMBER, local(12, 31, 20))

    assert ("130.00", {"taken": "reference"}) == (town.open(), town.how())


def test_what_was_asked_for_again_for_weeks_meets_its_line_without_a_number(town, database):
    """Cash receipting was down: the line is of the day on which it entered the payment."""
    town.draw("100.00", local(11, 10, 16), posted=local(11, 10, 18))
    with database.writing() as books:
        last = local(11, 27, 9)
        books.execute(posting.update().values(asked_at=last, posted_at=last))

    town.export(NOVEMBER, "60.00", ((date(2026, 11, 27), "-100.00"),))
    town.close(NOVEMBER)

    assert ("60.00", {"taken": "amount"}) == (town.open(), town.how())


def test_case_4_the_line_of_the_counter_is_not_taken_for_ours(town):
    town.draw("100.00", local(11, 30, 16), posted=local(11, 30, 18, 30))
    town.export(NOVEMBER, "60.00", ((LAST, "-100.00"),))

    town.close(NOVEMBER)

    assert ("-40.00", {"taken": None}) == (town.open(), town.how())


def test_case_5_a_return_after_the_export_was_written_is_owed_again(town):
    payment = town.draw("80.00", local(11, 10), posted=local(11, 10))
    town.back(payment, "80.00", local(11, 30, 20))
    town.export(NOVEMBER, "80.00", ((date(2026, 11, 10), "-80.00", "SB1"),))

    town.close(NOVEMBER)

    assert ("160.00", {"taken": "reference", "return": None}) == (town.open(), town.how())


def test_case_6_a_return_after_the_close_is_owed_over_the_new_bill(town):
    payment = town.draw("80.00", local(11, 10), posted=local(11, 10))
    town.export(NOVEMBER, "80.00", ((date(2026, 11, 10), "-80.00", "SB1"),))
    town.close(NOVEMBER)

    town.back(payment, "80.00", local(12, 3))

    assert "160.00" == town.open()


def test_case_7_drawn_and_returned_after_it_cancel_out(town):
    payment = town.draw("100.00", local(11, 30, 18))
    town.back(payment, "100.00", local(11, 30, 21))
    town.export(NOVEMBER, "160.00")

    town.close(NOVEMBER)

    assert ("160.00", {"taken": None, "return": None}) == (town.open(), town.how())


def test_case_8_payment_and_return_that_are_both_gone_are_voided(town):
    payment = town.draw("100.00", local(11, 10), posted=local(11, 10))
    town.back(payment, "100.00", local(11, 12), posted=local(11, 12))
    town.export(NOVEMBER, "160.00")

    town.close(NOVEMBER)

    assert ("160.00", {"taken": "voided", "return": "voided"}) == (town.open(), town.how())


def test_case_12_our_number_on_another_account_stays_outstanding_here(database):
    town = a_town(database, accounts=("1", "2"))
    town.draw("100.00", local(11, 10), posted=local(11, 10))
    lines = ((date(2026, 11, 10), "-100.00", "SB1", "2"),)
    town.export(NOVEMBER, "160.00", lines, accounts=("1", "2"))

    town.close(NOVEMBER)

    assert ("60.00", "160.00") == (town.open(), town.open("2"))


def test_case_19_a_file_from_before_the_export_arrives_after_the_close(town):
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)

    town.told("m1", "-25.00", date(2026, 11, 29), local(11, 29, 18), now=local(12, 3))

    assert ("160.00", {"feed": "late"}) == (town.open(), town.how())


def test_case_20_of_two_movements_like_one_line_one_is_in_the_export(town):
    town.export(NOVEMBER, "160.00", ((LAST, "-25.00"),))
    town.close(NOVEMBER)

    town.told("m1", "-25.00", LAST, local(11, 30, 18), now=local(12, 3))
    town.told("m2", "-25.00", LAST, local(11, 30, 18), now=local(12, 3))

    assert "135.00" == town.open()


def test_case_21_what_the_billing_system_deleted_is_not_counted_for_ever(town):
    town.told("m1", "-50.00", date(2026, 11, 9), local(11, 9, 18))
    assert "50.00" == town.open()

    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)

    assert ("160.00", {"feed": "time"}) == (town.open(), town.how())


def test_what_the_feed_told_after_the_export_was_written_counts_over_the_bill(town):
    town.told("m1", "-25.00", LAST, local(11, 30, 18))
    town.export(NOVEMBER, "160.00")

    town.close(NOVEMBER)

    assert ("135.00", {"feed": None}) == (town.open(), town.how())


def test_case_23_what_is_not_in_the_balance_due_moves_none(town):
    town.told("m1", "7.77", date(2026, 11, 9), local(11, 9, 18), counts=False)

    assert "100.00" == town.open()


@pytest.mark.parametrize("heard_at", [local(11, 30, 18), local(12, 2)])
def test_case_24_nothing_is_carried_to_an_agreed_amount(database, heard_at):
    """Drawn on November 30: known at once, or a lost answer that is found on December 2."""
    agreed = {"equal_pay_amount": Money(45_00)}
    town = a_town(database, **agreed)
    if heard_at < local(12, 1):
        town.draw("45.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00", **agreed)
    town.close(NOVEMBER)
    if heard_at > local(12, 1):
        town.draw("45.00", local(11, 30, 18))

    assert ("45.00", {"taken": "agreed"}) == (town.open(), town.how())


def test_case_25_a_return_after_the_close_is_owed_beside_the_agreed_amount(database):
    agreed = {"equal_pay_amount": Money(45_00)}
    town = a_town(database, **agreed)
    payment = town.draw("45.00", local(11, 10), posted=local(11, 10))
    town.export(NOVEMBER, "160.00", **agreed)
    town.close(NOVEMBER)

    town.back(payment, "45.00", local(12, 3))

    assert "90.00" == town.open()


def test_case_33_a_payment_before_the_first_close_counts_over_the_first_bill(town):
    town.told("m1", "-30.00", date(2026, 11, 9), local(11, 30, 18), account="9")
    with town.books.reading() as books:
        row = books.execute(sa.select(balance_due).where(balance_due.c.account_key == "9")).one()
    assert (None, None, "-30.00") == (row.period, row.due_on, town.open("9"))

    town.export(NOVEMBER, "80.00", accounts=("1", "9"))
    town.close(NOVEMBER)

    assert "50.00" == town.open("9")


def test_case_34_a_forgotten_older_period_moves_and_marks_nothing(town):
    town.draw("100.00", local(11, 10), posted=local(11, 10))
    town.export("2026-09", "70.00", ((date(2026, 9, 30), "-100.00", "SB1"),),
                ends_on=date(2026, 9, 30), written_at=local(9, 30, 17))  # fmt: skip

    town.close("2026-09")

    assert ("0.00", {"taken": None}) == (town.open(), town.how())


def test_case_35_a_close_of_one_cycle_leaves_the_other_alone(database):
    town = a_town(database, accounts=("1", "2"))
    town.draw("100.00", local(11, 10), account="2", reference="SB2")
    town.export("2026-11-A", "160.00", accounts=("1",))

    town.close("2026-11-A")

    assert ("160.00", "0.00", {"taken": None}) == (town.open(), town.open("2"), town.how())


def test_a_close_that_is_asked_for_twice_carries_once(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00")
    town.close(NOVEMBER)

    town.close(NOVEMBER)

    assert "60.00" == town.open()


def test_a_closed_account_keeps_its_old_balance_and_its_entries(town):
    town.draw("100.00", local(11, 10), posted=local(11, 10))
    town.export(NOVEMBER, "0.00", ((LAST, "-100.00", "SB1"),), status="closed")

    town.close(NOVEMBER)

    assert ("0.00", {"taken": None}) == (town.open(), town.how())


def test_the_payment_of_the_older_period_stays_what_it_was(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00", written_at=W)

    town.close(NOVEMBER)

    with town.books.reading() as books:
        assert [OCTOBER] == list(books.scalars(sa.select(gateway_payment.c.period)))


def unmarked(database):
    """Leave the books as a process does that dies before it marks what an export surely knew."""
    known = balance_entry.c.how == ContainedBy.TIME
    with database.writing() as books:
        done = books.execute(
            balance_entry.update().where(known).values(in_export_of=None, how=None)
        )
    assert done.rowcount


def told(database, key, at):
    with database.writing() as books:
        mine = balance_entry.c.key == key
        assert books.execute(balance_entry.update().where(mine).values(told_at=at)).rowcount


def test_what_an_export_knew_and_nobody_marked_takes_no_line_of_the_next_one(town, database):
    payment = town.draw("80.00", local(11, 10), posted=local(11, 10))
    town.back(payment, "40.00", local(11, 12), posted=local(11, 12), kind="refund")
    told(database, "refund/2", local(11, 13))
    lines = [(date(2026, 11, 10), "-80.00", "SB1"), (date(2026, 11, 12), "15.00", "SB1")]
    town.export(NOVEMBER, "60.00", (*lines, (date(2026, 11, 12), "25.00")))
    town.close(NOVEMBER)
    town.back(payment, "40.00", local(12, 10), posted=local(12, 10), kind="refund")
    unmarked(database)

    day = date(2026, 12, 10)
    town.export(DECEMBER, "130.00", ((day, "40.00", "SB1"),), written_at=local(12, 31, 17))
    town.close(DECEMBER, local(12, 31, 20))

    assert "130.00" == town.open()


def test_what_an_export_knew_and_nobody_marked_is_not_named_by_the_next_one(town, database):
    town.draw("80.00", local(11, 10), posted=local(11, 10))
    told(database, "taken/autopay/2026-10/1/1/1", local(11, 11))
    town.export(NOVEMBER, "60.00")  # the billing system has deleted it
    town.close(NOVEMBER)
    town.back("autopay/2026-10/1/1", "-80.00", local(12, 9), posted=local(12, 9))
    unmarked(database)

    day = date(2026, 12, 9)
    town.export(DECEMBER, "30.00", ((day, "-80.00", "SB1"),), written_at=local(12, 31, 17))
    town.close(DECEMBER, local(12, 31, 20))

    assert "30.00" == town.open()


def test_a_line_of_what_nobody_marked_explains_nothing_that_is_told_late(town, database):
    town.told("early", "-20.00", LAST, local(11, 30, 9))
    town.export(NOVEMBER, "60.00", ((LAST, "-20.00"),))
    town.close(NOVEMBER)
    unmarked(database)

    town.told("late", "-20.00", LAST, local(12, 1, 8))

    assert "40.00" == town.open()
