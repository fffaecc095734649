"""Of each cycle the next close is told; final bills in periods of their own follow no calendar."""

from __future__ import annotations

from datetime import date

import pytest

from database.runs import newest_periods
from database.tables import bill_run
from domain.periods import FINAL_CYCLE
from office.lookup.standing import read_standing
from office.procedures.lists import select_list
from reporting.lists.catalog import LISTS
from tests.builders import a_household, a_mandate, close_run, stage_run
from tests.office.health_builders import an_office_at

PERIODS = {
    "2026-09-A": ("A", date(2026, 9, 30)),
    "2026-10-A": ("A", date(2026, 10, 31)),
    "2026-10-B": ("B", date(2026, 10, 31)),
    "final-1": (FINAL_CYCLE, date(2026, 9, 30)),
    "final-2": (FINAL_CYCLE, date(2026, 10, 31)),
}
OF_EACH_ACCOUNT = ("accounts", "autopay-enrolled", "balances", "enrollments")


@pytest.fixture
def town(database):
    """An office of two cycles, with two periods of final bills, each of accounts of its own."""
    for number, (period, (cycle, ends_on)) in enumerate(PERIODS.items()):
        stage_run(
            database,
            a_household(str(number), mandates=(a_mandate(str(number)),)),
            period=period,
            ends_on=ends_on,
        )
        with database.writing() as books:
            books.execute(bill_run.update().where(bill_run.c.period == period).values(cycle=cycle))
        close_run(database, period)
    return database


def test_a_period_of_final_bills_is_the_newest_of_its_accounts_whatever_follows(town):
    with town.reading() as books:
        found = set(books.scalars(newest_periods()))

    assert {"2026-10-A", "2026-10-B", "final-1", "final-2"} == found


def test_the_next_close_is_told_of_each_cycle_and_of_no_final_bills(town, tmp_path):
    coming = [
        one.sentence
        for one in read_standing(an_office_at(tmp_path, town, "2026-11-05T09:00")).coming
    ]

    closes = [one for one in coming if one.startswith("the first day to close")]
    ends = "that ends on Nov 30, 2026"
    assert [f"the first day to close the period of cycle {name} {ends}" for name in "AB"] == closes
    assert "the bills of final-2 are due" in coming


@pytest.mark.parametrize("what", LISTS)
def test_every_list_is_made_of_several_cycles_and_of_final_bills(town, tmp_path, what):
    office = an_office_at(tmp_path, town, "2026-11-05T09:00")

    with town.reading() as books:
        rows = books.execute(select_list(office, what)).all()

    accounts = [row.account for row in rows if what in OF_EACH_ACCOUNT]
    assert (sorted(map(str, range(5))) if what in OF_EACH_ACCOUNT else []) == sorted(accounts)
