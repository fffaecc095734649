"""What the checks say of numbers of ours in an export, and what the close makes of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing_system.export.manifest import parse_manifest
from data_checks.check import find, to_query
from data_checks.checks.boundary import BOUNDARY
from data_checks.parameters import Thresholds, parameters
from database.ledger.boundary_plans import plan_boundary
from database.ledger.tables import balance_entry
from database.tables import bill_run, draw, gateway_payment
from domain.money import Money
from domain.payments import DrawState, MethodKind, PaymentState
from tests.billing_system.ledger_town import NOVEMBER, OCTOBER, W, a_town, local
from tests.builders_export import MANIFEST

TENTH = date(2026, 11, 10)
TAKEN = local(11, 10)


@pytest.fixture
def town(database):
    return a_town(database)


def said(town) -> dict[str, list[tuple[str, str]]]:
    """What each check of the boundary finds in November, by account; silent ones are left out."""
    plan_boundary(town.books, NOVEMBER, 3)
    with town.books.reading() as books:
        values = parameters(books, NOVEMBER, date(2026, 12, 1), Thresholds())
        found = {one.name: find(books, one, to_query(one.sql, values)) for one in BOUNDARY}
    return {
        name: [(one.account, one.detail) for one in findings]
        for name, findings in found.items()
        if findings
    }


def test_case_11_booked_with_another_amount_is_contained_and_both_amounts_are_told(town):
    town.draw("100.00", TAKEN, posted=TAKEN)
    town.export(NOVEMBER, "53.00", ((TENTH, "-107.00", "SB1"),))
    told = said(town)

    town.close(NOVEMBER)

    why = "-$100.00 of 2026-11-10 under SB1, booked -$107.00"
    assert {"booked-otherwise": [("1", why)]} == told
    assert ("53.00", {"taken": "reference"}) == (town.open(), town.how())


def test_case_12_our_number_on_another_account_names_both(database):
    town = a_town(database, accounts=("1", "2"))
    town.draw("100.00", TAKEN, posted=TAKEN)
    lines = ((TENTH, "-100.00", "SB1", "2"),)
    town.export(NOVEMBER, "160.00", lines, accounts=("1", "2"))
    told = said(town)

    town.close(NOVEMBER)

    where = [("2", "-$100.00 under SB1, which was paid on 1")]
    assert where == told["booked-on-other-account"]
    assert {"booked-on-other-account", "payments-not-in-export"} == told.keys()
    assert ("60.00", {"taken": None}) == (town.open(), town.how())


def test_case_13_our_number_in_two_lines_takes_one_and_the_other_is_told(town):
    town.draw("100.00", TAKEN, posted=TAKEN)
    town.export(NOVEMBER, "-40.00", ((TENTH, "-100.00", "SB1"), (TENTH, "-100.00", "SB1")))
    told = said(town)

    town.close(NOVEMBER)

    twice = "SB1 in 2 lines, together -$200.00; ours: -$100.00"
    assert {"booked-twice": [("1", twice)]} == told
    assert ("-40.00", {"taken": "reference"}) == (town.open(), town.how())


def test_case_13_our_number_in_two_exports_is_told_with_the_second(town):
    town.draw("100.00", local(10, 20), posted=local(10, 20))
    with town.books.writing() as books:  # it stood in October's export, which was closed with it
        books.execute(
            bill_run.update().where(bill_run.c.period == OCTOBER).values(sure_until=local(10, 31))
        )
    town.export(NOVEMBER, "60.00", ((TENTH, "-100.00", "SB1"),))
    town.close(NOVEMBER)
    town.export("2026-12", "10.00", ((date(2026, 12, 3), "-100.00", "SB1"),),
                written_at=local(12, 31, 17))  # fmt: skip

    with town.books.reading() as books:
        values = parameters(books, "2026-12", date(2027, 1, 2), Thresholds())
        (check,) = (one for one in BOUNDARY if one.name == "booked-twice")
        (found,) = find(books, check, to_query(check.sql, values))
    assert "SB1 in 2 lines, together -$200.00; ours: -$100.00" == found.detail


@pytest.mark.parametrize("state", [DrawState.DECLINED, DrawState.ABANDONED, DrawState.CREATED])
def test_case_14_a_line_with_the_number_of_a_draw_that_took_nothing_is_told(town, state):
    a_draw_that_took_nothing(town, state)
    town.export(NOVEMBER, "60.00", ((TENTH, "-100.00", "SB1"),))
    told = said(town)

    town.close(NOVEMBER)

    claims = f"-$100.00 of 2026-11-10 under SB1, which is {state}"
    assert {"claims-ours": [("1", claims)]} == told
    assert "60.00" == town.open()  # the closing balance stands


def a_draw_that_took_nothing(town, state) -> None:
    key = f"autopay/{OCTOBER}/1"
    with town.books.writing() as books:
        books.execute(
            gateway_payment.insert().values(
                key=key, period=OCTOBER, account_key="1", account="1", number=1, pay_on=TENTH,
                amount=Money(100_00), method_token="tok", method_kind=MethodKind.ACH,
                last4="1234", immediate=False, state=PaymentState.DECLINED, scheduled_at=TAKEN,
            )
        )  # fmt: skip
        books.execute(
            draw.insert().values(
                key=f"{key}/1", payment_key=key, number=1, amount=Money(100_00),
                method_token="tok", state=state, reference="SB1", created_at=TAKEN, lookups=0,
            )
        )  # fmt: skip


def test_case_21_what_was_told_and_is_in_no_line_is_told_and_the_closing_balance_stands(town):
    town.told("m1", "-50.00", date(2026, 11, 9), local(11, 9, 18))
    town.export(NOVEMBER, "160.00")
    told = said(town)

    town.close(NOVEMBER)

    assert [("1", "-$50.00 of 2026-11-09")] == told["movements-not-in-export"]
    assert "160.00" == town.open()


@pytest.mark.parametrize(
    ("lines", "is_lost"),
    [
        pytest.param((), True, id="no line"),
        pytest.param(((TENTH, "-40.00", "C9"),), True, id="somebody else's"),
        pytest.param(((TENTH, "-100.00", "SB1"),), False, id="confirmation"),
        pytest.param(((TENTH, "-107.00", "SB1"),), False, id="another amount"),
        pytest.param(((TENTH, "-100.00"),), False, id="amount"),
        pytest.param(((TENTH, "-60.00"), (TENTH, "-40.00")), False, id="split"),
        pytest.param(((TENTH, "-130.00"),), False, id="merged"),
    ],
)
def test_a_draw_that_came_back_in_the_feed_and_is_in_no_line_is_told(town, lines, is_lost):
    """Its closing balance asks for the draw again; before, nobody heard of it."""
    town.draw("100.00", TAKEN, posted=TAKEN)
    with town.books.writing() as books:
        books.execute(balance_entry.update().values(told_at=local(11, 11)))
    town.export(NOVEMBER, "160.00", lines)

    told = said(town)

    expected = [("1", "-$100.00 of 2026-11-10")] if is_lost else None
    assert expected == told.get("movements-not-in-export")


def test_an_entry_that_waits_for_its_next_export_is_no_finding(town):
    town.draw("100.00", local(11, 30, 8), posted=local(11, 30, 8, 1))
    town.export(NOVEMBER, "60.00", ((date(2026, 11, 30), "-100.00", "SB1"),), written_at=W)

    assert {} == said(town)


@pytest.mark.parametrize(
    ("minute", "owed", "how"),
    [pytest.param(20, "60.00", "amount", id="1.20"), pytest.param(45, "-40.00", None, id="1.45")],
)
def test_case_40_in_the_hour_that_clocks_show_twice_a_line_decides_or_cannot(
    town, minute, owed, how
):
    """Written at 1.30, which was twice; posted in the second such hour, a line of its amount."""
    written = MANIFEST + "\n[export]\nwritten_at = 2026-11-01T01:30:00\n"
    bounds = parse_manifest(written.encode()).written
    second = datetime(2026, 11, 1, 8, minute, tzinfo=UTC)
    town.draw("100.00", second, posted=second)
    first_of_month = date(2026, 11, 1)
    town.export(NOVEMBER, "60.00", ((first_of_month, "-100.00"),), ends_on=first_of_month)
    with town.books.writing() as books:
        this = bill_run.update().where(bill_run.c.period == NOVEMBER)
        books.execute(this.values(sure_until=bounds.sure_until, not_after=bounds.not_after))

    town.close(NOVEMBER)

    assert timedelta(hours=1) == bounds.not_after - bounds.sure_until
    assert (owed, {"taken": how}) == (town.open(), town.how())
