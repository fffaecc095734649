"""What does not agree between the bank and the gateway is watched from the first file on."""

from __future__ import annotations

import pytest

from database.tables import settlement
from domain.money import ZERO, Money
from office.health.bank import KIND, differing_deposits
from office.health.conditions import State
from office.lookup.standing import BANK_DIFFERENCES, read_matters, read_standing, to_document
from office.procedures.bank.matching import bank_standing, settle_bank_item, take_bank_file
from tests.builders import NOW
from tests.office.health_builders import an_office_at, looking
from tests.payments.bank.bank_files import DAY, bai2

LATER = "2026-11-25T09:00"
JOINED = ("142", 100_00, ",REF1,,STRIPE PAYOUT")


@pytest.fixture
def here(tmp_path, database):
    with database.writing() as books:
        for name, cents in (("po_1", 60_00), ("po_2", 40_00)):
            books.execute(
                settlement.insert().values(
                    settlement_id=name, gateway="sandbox", pays_out_on=DAY, gross=Money(cents),
                    fees=ZERO, net=Money(cents), recorded_at=NOW,
                )
            )  # fmt: skip
    return an_office_at(tmp_path, database, LATER)


def found(here):
    (one,) = differing_deposits(looking(here.home, here.database, LATER))
    return one


def test_before_the_first_file_of_the_bank_nothing_is_watched(here):
    assert State.NOT_WATCHED is found(here).state
    assert BANK_DIFFERENCES not in {one.what for one in read_matters(here)}


def test_a_line_that_joins_the_payouts_of_the_day_is_no_trouble_and_is_shown_as_joined(here):
    take_bank_file(here, "nov.bai", bai2(JOINED).encode())

    standing = bank_standing(here)

    assert (2, Money(100_00), ()) == (standing.matched, standing.amount, standing.differences)
    assert [("po_1", "po_2")] == [tuple(p.name for p in one.payouts) for one in standing.groups]
    assert State.WELL is found(here).state


def test_what_differs_is_a_trouble_until_a_person_has_settled_it(here):
    take_bank_file(here, "nov.bai", bai2(JOINED, ("455", 7_00, ",,,FEE")).encode())

    trouble = found(here)

    assert (State.TROUBLE, KIND) == (trouble.state, trouble.name)
    assert "1 line of the bank's files and of the gateway's payouts differs, $7.00" in (
        trouble.detail
    )
    (matter,) = [one for one in read_matters(here) if one.what == BANK_DIFFERENCES]
    assert "1 difference between the bank and the gateway's payouts" == matter.sentence
    waits = to_document(read_standing(here))["waits"]
    assert {"list": None, "count": 1, "sentence": matter.sentence} in waits

    (one,) = bank_standing(here).differences
    settle_bank_item(here, one.item, "the bank's fee, see its letter")

    assert State.WELL is found(here).state
    assert BANK_DIFFERENCES not in {one.what for one in read_matters(here)}
