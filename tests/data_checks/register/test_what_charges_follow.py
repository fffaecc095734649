"""Charges without a meter that follow a use, credits, and bills of one month and of two."""

from __future__ import annotations

import shutil

import pytest

from data_checks.register.catalog import LIMITS
from data_checks.register.limits import Limits
from data_checks.register.reviewing import review, review_accounts
from database.books import Database
from tests.data_checks.register.town import AT, LAST, a_line, build_town

FOLDED = {"usage-empty", "leak-suspected", "meter-changed", "bill-zero"}
CAP = 40  # units, above which no sewer is charged


@pytest.fixture
def database(tmp_path, empty_sqlite):
    shutil.copy(empty_sqlite, tmp_path / "books.db")
    database = Database(f"sqlite:///{tmp_path / 'books.db'}")
    yield database
    database.close()


def found(database):
    with database.reading() as books:
        _, by_check = review_accounts(books, LAST, Limits(LIMITS))
    return sorted(
        (check, finding.account, finding.service)
        for check, rows in by_check.items()
        for finding in rows
        if check not in FOLDED
    )


def _vary(m, house, line):
    line["usage"] += (house * 7 + m * 3) % 17


def _sewer_of(used):
    return round(5_00 + 60 * used)


@pytest.mark.parametrize(
    ("of_seven", "expected"),
    [
        pytest.param(_sewer_of(CAP), [], id="as the cap has it"),
        pytest.param(
            _sewer_of(CAP + 30), [("price-unlike-others", "A-7", "SEWER")], id="above the cap"
        ),
        pytest.param(5_00, [("price-unlike-others", "A-7", "SEWER")], id="no use at all"),
    ],
)
def test_a_sewer_by_the_water_used_is_compared_with_the_water(database, of_seven, expected):
    def change(m, house, line, rows):
        _vary(m, house, line)
        used = line["usage"]
        if house == 7:
            line["usage"] = used = CAP + 6 + m % 3
        sewer = of_seven if (m, house) == (12, 7) else _sewer_of(min(used, CAP))
        rows.append(a_line("SEWER", amount=sewer, rate_code="SR"))

    build_town(database, change, houses=160, months=6)

    assert expected == found(database)


def test_a_tax_on_the_whole_bill_is_compared_with_the_bill(database):
    def change(m, house, line, rows):
        _vary(m, house, line)
        tax = round(0.2 * (10_00 + 1_00 * line["usage"]))
        rows.append(a_line("SURCHARGE", amount=tax * (3 if (m, house) == (12, 7) else 1)))

    build_town(database, change, houses=80)

    assert [("price-unlike-others", "A-7", "SURCHARGE")] == found(database)


def test_a_credit_that_became_a_charge_and_one_given_by_mistake_are_found(database):
    def change(m, house, line, rows):
        if house < 30:
            sent = -2_00 - (house * 3 + m * 5) % 11 * 100
            rows.append(a_line("SOLAR", amount=-sent if (m, house) == (12, 7) else sent))
        elif (m, house) == (12, 35):
            rows.append(a_line("SOLAR", amount=-8_00))

    build_town(database, change)

    assert [("price-unlike-others", "A-7", "SOLAR"), ("service-added", "A-35", "SOLAR")] == found(
        database
    )


def test_a_meter_left_out_among_others_is_found_and_a_changed_one_is_not(database):
    def change(m, house, line, rows):
        if house >= 20 or (m, house) == (12, 7):
            return
        name = f"X{house}" if (m, house) == (12, 8) else f"V{house}"
        meter = a_line("WATER", usage=20.0, meter=name, read_type="actual", rate_code="WR")
        meter |= {"amount": 30_00, "previous_read": 20.0 * m, "current_read": 20.0 * (m + 1)}
        rows.append(meter)

    build_town(database, change)

    assert [("service-dropped", "A-7", "WATER")] == [
        one for one in found(database) if one[0] != "usage-same"
    ]


@pytest.mark.parametrize("wrong", [None, 7, 71])
def test_bills_of_one_month_and_of_two_are_compared_with_their_own_kind(database, wrong):
    """The houses from 40 on get every second month a bill for two, of a base twice as high."""
    skipped = {}

    def change(m, house, line, rows):
        line["usage"] += (house * 7 + m * 3) % 5
        if house >= 40 and m % 2:
            skipped[house] = line["previous_read"], line["usage"]
            rows.clear()
            line["current_read"] = line["previous_read"] + line["usage"]
            return
        if house >= 40 and house in skipped:
            line["previous_read"], used = skipped.pop(house)
            line["usage"] += used
        months = 2 if house >= 40 else 1
        line["amount"] = round(10_00 * months + 1_00 * line["usage"])
        line["amount"] += 40_00 if (m, house) == (12, wrong) else 0
        rows[1]["amount"] *= months
        for one in rows:
            one["days"] = 61 if months == 2 else 30

    build_town(database, change, houses=80)

    assert [("price-unlike-others", f"A-{wrong}", "WATER")] * (wrong is not None) == found(database)
    if wrong is None:
        assert [] == figures_out(database)


def figures_out(database):
    with database.reading() as books:
        reviewed = review(books, LAST, Limits(LIMITS), at=AT)
    return [one.figure.sentence for one in reviewed.judgement.figures if not one.passed]
