"""The bank's lines in the books: each once, matched with payouts, settled for good (113-116)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from database.bank.tables import bank_line
from database.tables import audit, settlement
from domain.failures import Misuse
from domain.money import ZERO, Money
from payments.bank.keeping import BankTerms, read_standing, settle_difference, take_in
from payments.bank.table import CsvLayout
from rules.money.bank_matching import BankDifference, Nearness
from tests.builders import NOW
from tests.payments.bank.bank_files import DAY, TWO, bai2

NEAR = Nearness(3, Money(5_00))
TERMS = BankTerms((), CsvLayout(), NEAR)
LATER = DAY + timedelta(days=10)


def taken(database, text: str, terms: BankTerms = TERMS):
    return take_in(database, "nov.bai", text.encode(), terms, now=NOW, who="anna")


def paid(database, *payouts: tuple[str, int, date]):
    with database.writing() as books:
        for name, cents, day in payouts:
            books.execute(
                settlement.insert().values(
                    settlement_id=name, gateway="sandbox", pays_out_on=day, gross=Money(cents),
                    fees=ZERO, net=Money(cents), recorded_at=NOW,
                )
            )  # fmt: skip


def lines(database) -> int:
    with database.reading() as books:
        return books.scalar(sa.select(sa.func.count()).select_from(bank_line))


def told(database):
    return {
        (one.difference, one.payout.name if one.payout else "")
        for one in read_standing(database, NEAR).differences
    }


def test_payouts_and_lines_that_agree_are_counted_and_nothing_differs(database):
    paid(database, ("po_1", 100_00, DAY), ("po_2", -40_00, DAY))

    file = taken(database, TWO)

    assert ("bai2", 2, 2, 0, False) == (
        file.format,
        file.lines,
        file.new,
        file.left_out,
        file.known,
    )
    standing = read_standing(database, NEAR)
    assert (2, Money(60_00), ()) == (standing.matched, standing.amount, standing.differences)
    assert (DAY, DAY) == (standing.first_on, standing.last_on)


def test_the_same_file_twice_is_nothing_new_and_is_not_audited_again(database):
    taken(database, TWO)

    again = taken(database, TWO)

    assert (0, True, 2) == (again.new, again.known, lines(database))
    with database.reading() as books:
        acts = books.scalars(sa.select(audit.c.action)).all()
    assert 1 == acts.count("take in bank file")


def test_another_file_that_tells_of_the_same_lines_adds_only_what_is_new(database):
    taken(database, bai2(("142", 100_00, ",R1,,STRIPE")))

    more = taken(database, bai2(("142", 100_00, ",R1,,STRIPE"), ("142", 70_00, ",R2,,STRIPE")))

    assert (1, False, 2) == (more.new, more.known, lines(database))


def test_two_lines_alike_in_one_file_are_two(database):
    twice = bai2(("142", 100_00, ",R1,,STRIPE"), ("142", 100_00, ",R1,,STRIPE"))

    assert 2 == taken(database, twice).new


def test_what_is_in_the_bank_and_not_here_and_here_and_not_in_the_bank(database):
    paid(database, ("po_3", 70_00, DAY))
    taken(database, TWO)
    assert {(BankDifference.NOT_HERE, "")} == told(database)  # its days are not told of yet

    taken(database, bai2(("142", 1_00, ",R9,,STRIPE"), day=LATER))

    assert {(BankDifference.NOT_HERE, ""), (BankDifference.NOT_IN_BANK, "po_3")} == told(database)


def test_near_amounts_and_days_stand_beside_their_payout(database):
    paid(database, ("po_7", 102_00, DAY), ("po_8", -40_00, DAY - timedelta(days=6)))

    taken(database, TWO.replace("po_1", "po_x"))

    assert {(BankDifference.NEAR_AMOUNT, "po_7"), (BankDifference.NEAR_DATE, "po_8")} == told(
        database
    )


def test_lines_that_are_no_deposits_of_ours_are_counted_and_not_kept(database):
    text = bai2(("142", 100_00, ",R1,,STRIPE PAYOUT"), ("301", 5_00, ",R2,,CHECK OF MR SMITH"))

    file = taken(database, text, BankTerms(("stripe",), CsvLayout(), NEAR))

    assert (2, 1, 1, 1) == (file.lines, file.new, file.left_out, lines(database))


def test_only_the_last_digits_of_the_banks_account_are_kept(database):
    taken(database, TWO)

    with database.reading() as books:
        assert {"4567"} == set(books.scalars(sa.select(bank_line.c.bank_account)))


def test_a_difference_that_a_person_has_settled_is_gone_for_good_and_audited(database):
    taken(database, TWO)
    first, second = read_standing(database, NEAR).differences

    settle_difference(database, first.item, "a grant", NEAR, now=NOW, who="anna")

    assert [second.item] == [one.item for one in read_standing(database, NEAR).differences]
    taken(database, TWO)
    assert [second.item] == [one.item for one in read_standing(database, NEAR).differences]
    with database.reading() as books:
        detail = books.scalar(
            sa.select(audit.c.detail).where(audit.c.action == "settle bank difference")
        )
    assert "not-here" in detail and "a grant" in detail


def test_a_difference_that_is_none_is_refused(database):
    with pytest.raises(Misuse, match="No difference bank/x is open"):
        settle_difference(database, "bank/x", "why", NEAR, now=NOW, who="anna")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"PK\x03\x04\x00\x00", "no text"),
        (b"%PDF-1.7 \xff\xfe", "no row with the headings Date, Amount, Description"),
        (b"x" * 10_000_001, "more than 10 MB"),
        (TWO.encode()[:-20], "row 7 is a trailer without its counts"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_and_nothing_of_it_is_kept(database, content, said):
    with pytest.raises(Misuse, match=said):
        take_in(database, "nov.bai", content, TERMS, now=NOW, who="anna")

    assert 0 == lines(database)


def test_before_the_first_file_nothing_is_missed(database):
    paid(database, ("po_1", 100_00, DAY))

    assert (0, (), None) == (
        read_standing(database, NEAR).matched,
        read_standing(database, NEAR).differences,
        read_standing(database, NEAR).first_on,
    )
