"""What a check says of the boundary of a staged export, before anything is closed."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from database.ledger.boundary_plans import carried_by_plan, plan_boundary
from database.ledger.entries import record_entries
from database.ledger.tables import boundary_finding
from database.tables import account
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.money import Money
from tests.billing_system.ledger_town import DECEMBER, NOVEMBER, a_town, local

LAST = date(2026, 11, 30)


@pytest.fixture
def town(database):
    return a_town(database)


def findings(town) -> list[tuple[str, str, str, bool]]:
    plan_boundary(town.books, NOVEMBER, 3)
    with town.books.reading() as books:
        rows = books.execute(sa.select(boundary_finding)).all()
    return [(row.code, str(row.amount), row.reason or str(row.booked), row.blocks) for row in rows]


def carried(town, period=NOVEMBER) -> dict[str, str]:
    with town.books.reading() as books:
        rows = books.execute(carried_by_plan(period))
        return {row.account_key: str(row.carried) for row in rows}


def test_case_1_what_was_taken_after_the_export_was_written_is_told_and_blocks_nothing(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00")

    told = findings(town)

    why = "taken after the export was written"
    assert [("payments-not-in-export", "-100.00", why, False)] == told
    assert {"1": "-100.00"} == carried(town)


def test_what_is_told_is_numbered_from_one_on(town):
    town.draw("100.00", local(11, 30, 18))
    town.draw("20.00", local(11, 30, 19), reference="SB2")
    town.export(NOVEMBER, "160.00")

    assert 2 == len(findings(town))
    with town.books.reading() as books:
        lines = books.scalars(sa.select(boundary_finding.c.line).order_by(boundary_finding.c.line))
        assert [1, 2] == list(lines)


def test_case_2_what_the_export_contains_is_not_told(town):
    town.draw("100.00", local(11, 30, 8), posted=local(11, 30, 8, 1))
    town.export(NOVEMBER, "60.00", ((LAST, "-100.00", "SB1"),))

    assert ([], {}) == (findings(town), carried(town))


def test_case_3_what_was_posted_after_it_is_told(town):
    town.draw("100.00", local(11, 30, 16), posted=local(11, 30, 18, 30))
    town.export(NOVEMBER, "160.00")

    why = "posted after the export was written"
    assert [("payments-not-in-export", "-100.00", why, False)] == findings(town)


def test_what_a_line_without_a_number_contains_is_neither_told_nor_carried(town):
    town.draw("100.00", local(11, 30, 8), posted=local(11, 30, 8, 1))
    town.export(NOVEMBER, "60.00", ((LAST, "-100.00"),))

    assert ([], {}) == (findings(town), carried(town))


def test_a_fee_that_the_export_has_not_is_carried_and_is_no_payment_to_be_told_of(town):
    fee = BalanceEntry(
        key="fee/1", account_key="1", kind=EntryKind.FEE, amount=Money(15_00), happened_on=LAST,
        happened_at=local(11, 30, 18), source=EntrySource.OFFICE,
    )  # fmt: skip
    with town.books.writing() as books:
        record_entries(books, [fee], now=local(11, 30, 18), who="anna")
    town.export(NOVEMBER, "160.00")

    assert ([], {"1": "15.00"}) == (findings(town), carried(town))


def test_what_is_carried_to_one_period_is_not_carried_to_another(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00")
    findings(town)

    assert {} == carried(town, DECEMBER)


def test_planning_one_period_leaves_what_was_planned_of_another(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00")
    findings(town)

    town.export(DECEMBER, "160.00", written_at=local(12, 31, 17))
    plan_boundary(town.books, DECEMBER, 3)

    assert {"1": "-100.00"} == carried(town)


def test_nothing_is_carried_where_the_amount_was_agreed_after_the_plan(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00")
    findings(town)

    with town.books.writing() as books:
        agreed = account.update().where(account.c.period == NOVEMBER)
        books.execute(agreed.values(equal_pay_amount=Money(45_00)))

    assert {} == carried(town)


@pytest.mark.parametrize(
    ("taken", "posted", "why", "blocks"),
    [
        pytest.param(local(11, 27), local(11, 27), "no line in the export", False, id="3 days"),
        pytest.param(local(11, 26), local(11, 26), "no line in the export", True, id="4 days"),
        pytest.param(local(11, 26), local(11, 30, 18), "posted after the export was written", True,
                     id="4 days, posted late"),
        pytest.param(local(11, 20), None,
                     "not posted yet: run `billclose retry-postings --now`", False,
                     id="ours to post"),
    ],
)  # fmt: skip
def test_what_the_billing_system_ought_to_have_blocks_after_the_days_of_posting(
    town, taken, posted, why, blocks
):
    town.draw("100.00", taken, posted=posted)
    town.export(NOVEMBER, "160.00")

    assert [("payments-not-in-export", "-100.00", why, blocks)] == findings(town)


def test_case_11_what_is_booked_with_another_amount_is_told(town):
    town.draw("100.00", local(11, 10), posted=local(11, 10))
    town.export(NOVEMBER, "53.00", ((date(2026, 11, 10), "-107.00", "SB1"),))

    assert [("booked-otherwise", "-100.00", "-107.00", False)] == findings(town)


def test_case_41_what_is_drawn_between_a_dry_run_and_the_close_is_carried_all_the_same(town):
    town.export(NOVEMBER, "160.00")
    findings(town)
    assert {} == carried(town)

    town.draw("100.00", local(12, 1, 8))
    town.close(NOVEMBER)

    assert "60.00" == town.open()


def test_nothing_is_carried_to_an_agreed_amount(database):
    agreed = {"equal_pay_amount": Money(45_00)}
    town = a_town(database, **agreed)
    town.draw("45.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00", **agreed)

    assert ([], {}) == (findings(town), carried(town))


def test_planning_again_replaces_what_was_planned(town):
    town.draw("100.00", local(11, 30, 18))
    town.export(NOVEMBER, "160.00")

    assert findings(town) == findings(town)
