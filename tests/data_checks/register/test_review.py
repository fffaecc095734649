"""The review of a register: the right findings on a town that is known by heart (rule 44)."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_checks.register import judging
from data_checks.register.catalog import LIMITS
from data_checks.register.limits import Limits, LimitSet
from data_checks.register.reviewing import review, review_accounts
from database.books import Database
from database.tables import delivery_plan
from domain.deliveries import PaperReason
from tests.data_checks.register.town import AT, LAST, a_line, build_town
from tests.release import so_many

FOLDED = {"usage-empty", "leak-suspected", "meter-changed", "bill-zero"}


@pytest.fixture
def fresh(tmp_path, empty_sqlite):
    """Empty books on SQLite: the reading on PostgreSQL has a test of its own."""
    made = []

    def make():
        file = tmp_path / f"books-{len(made)}.db"
        shutil.copy(empty_sqlite, file)
        database = Database(f"sqlite:///{file}")
        made.append(database)
        return database

    yield make
    for database in made:
        database.close()


def look(database, *changes):
    with database.reading() as books:
        return review_accounts(books, LAST, Limits(LIMITS, changes))


def found(database, *changes, folded=False):
    _, by_check = look(database, *changes)
    return named(by_check, folded=folded)


def named(by_check, *, folded=False):
    return sorted(
        (check, finding.account, finding.service)
        for check, rows in by_check.items()
        for finding in rows
        if folded or check not in FOLDED
    )


def judged(database, own=(), *, page=False):
    """The review, without the judge's page where nobody reads it: half of its time goes there."""
    with database.reading() as books, pytest.MonkeyPatch.context() as patched:
        if not page:
            patched.setattr(judging, "_page", lambda _result: "")
        return review(books, LAST, Limits(LIMITS), at=AT, own=own)


def seven(month=12, **values):
    def change(m, house, line, rows):
        if house == 7 and m == month:
            line.update(values)

    return change


def line_of(register, account="A7", service="WATER"):
    frame = register.frame
    return frame[(frame["account_key"] == account) & (frame["service"] == service)].iloc[0]


def test_a_town_like_every_month_has_no_finding(database):
    build_town(database)

    register, by_check = look(database)

    assert [] == named(by_check, folded=True)
    assert pytest.approx(31, abs=0.01) == line_of(register)["expected"]


def test_three_times_the_use_is_an_outlier_with_the_money_at_stake(fresh):
    database = fresh()
    build_town(database, seven(usage=93.0))

    register, by_check = look(database)

    assert [("usage-outlier", "A-7", "WATER")] == named(by_check)
    assert pytest.approx(94 / 32, abs=0.01) == line_of(register)["ratio"]
    finding = by_check["usage-outlier"][0]
    assert abs(finding.stake.cents - 62_00) <= 5
    assert "WATER: 93 used, expected is 31" == finding.detail
    assert 13 == len(finding.months)


def test_a_hot_month_for_all_is_no_finding_of_anybody_and_shows_in_the_figures(fresh):
    database = fresh()
    build_town(
        database,
        lambda m, house, line, rows: line.update(usage=line["usage"] * (3 if m == 12 else 1)),
    )

    reviewed = judged(database)

    assert [] == found(database)
    failed = {(f.figure.check, f.figure.name) for f in reviewed.judgement.figures if not f.passed}
    assert {
        (f"register-{figure}", name)
        for figure in ("mean", "total")
        for name in ("WATER", "WATER/WR")
    } == failed
    mean = next(
        f for f in reviewed.judgement.figures
        if (f.figure.check, f.figure.name) == ("register-mean", "WATER")
    )  # fmt: skip
    assert pytest.approx(103.0, abs=0.1) == mean.value
    assert pytest.approx((30.0, 51.25), abs=0.2) == (mean.figure.low, mean.figure.high)


@pytest.mark.parametrize(
    ("use", "check", "stake"),
    [(6.0, "usage-low", -25_00), (0.0, "usage-zero", -31_00)],
)
def test_a_meter_that_slows_down_or_stops_is_found(fresh, use, check, stake):
    database = fresh()
    build_town(database, seven(usage=use))

    _, by_check = look(database)

    assert [(check, "A-7", "WATER")] == named(by_check)
    assert abs(by_check[check][0].stake.cents - stake) <= 5


@pytest.mark.parametrize(
    ("values", "check"),
    [
        ({"usage": -989.0, "amount": 1000, "previous_read": 990.0, "current_read": 1.0},
         "usage-negative"),
        ({"usage": 62.0, "current_read": 1396.0}, "usage-not-the-reads"),
        ({"previous_read": 1300.0, "current_read": 1331.0}, "reads-apart"),
        ({"rate_code": "WC"}, "rate-changed"),
        ({"amount": 51_00}, "price-unlike-others"),
        ({"meter": "W8"}, "meter-duplicate"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_line_that_is_spoiled_is_found_and_no_other_account_is(fresh, values, check):
    database = fresh()
    build_town(database, seven(**values))

    rows = found(database)

    assert check in {name for name, account, _ in rows if account == "A-7"}
    mine = {"A-7", "A-8"} if check == "meter-duplicate" else {"A-7"}
    assert {account for _, account, _ in rows} <= mine


def test_a_service_left_out_and_one_put_in_are_one_finding_each(fresh):
    def change(m, house, line, rows):
        if m == 12 and house == 7:
            rows.pop()
        if m == 12 and house == 9:
            rows.append(a_line("RECYCLING", amount=12_40, rate_code="RC"))

    database = fresh()
    build_town(database, change)

    assert [
        ("service-added", "A-9", "RECYCLING"),
        ("service-dropped", "A-7", "GARBAGE"),
    ] == found(database)


def test_a_new_charge_for_the_whole_town_is_one_finding_in_all(fresh):
    def change(m, house, line, rows):
        if m == 12:
            rows.append(a_line("STORM", amount=6_50, rate_code="ST"))

    database = fresh()
    build_town(database, change)

    assert [("service-added", "", "")] == found(database)


@pytest.mark.parametrize(("meter", "blocks"), [("C1", True), ("", False)])
def test_a_charge_that_stands_twice_blocks_where_one_meter_proves_it(fresh, meter, blocks):
    def change(m, house, line, rows):
        if m == 12 and house == 7:
            rows[1]["meter"] = meter
            rows.append(dict(rows[1]))

    database = fresh()
    build_town(database, change)

    _, by_check = look(database)

    doubled = by_check["charge-doubled"]
    assert [("A-7", "GARBAGE", blocks)] == [(f.account, f.service, f.blocks) for f in doubled]


def test_two_meters_of_one_account_at_the_minimum_are_two_charges(fresh):
    def change(m, house, line, rows):
        if house == 7:
            line.update(usage=0.0, amount=18_50, meter="W7")
            rows.append(dict(line, meter="W7B", previous_read=5.0, current_read=5.0))

    database = fresh()
    build_town(database, change)

    register, by_check = look(database)

    assert [] == by_check.get("charge-doubled", [])
    water = register.frame[register.frame["account_key"].eq("A7")]["service"].eq("WATER")
    assert 2 == water.sum()


@pytest.mark.parametrize(("since", "times"), [(11, 0), (10, 1)])
def test_the_third_estimate_in_a_row_is_found(fresh, since, times):
    def change(m, house, line, rows):
        if house == 7 and m >= since:
            line.update(read_type="estimated")

    database = fresh()
    build_town(database, change)

    assert [("estimated-again", "A-7", "WATER")] * times == found(database)


def test_a_house_that_is_empty_since_last_month_is_not_told_again(fresh):
    database = fresh()
    build_town(
        database,
        lambda m, house, line, rows: line.update(usage=0.0) if house == 7 and m >= 11 else None,
    )

    assert [] == found(database)


def test_use_on_a_closed_account_is_one_finding(fresh):
    database = fresh()
    build_town(database, lambda m, house, line, rows: "closed" if house == 7 and m == 12 else None)

    assert [("closed-account-used", "A-7", "WATER")] == found(database)


def test_a_rate_rise_for_all_is_no_finding_and_holds_its_band(fresh):
    def change(m, house, line, rows):
        if m == 12:
            line["amount"] = round(10_30 + 1_03 * line["usage"])
            rows[1]["amount"] = 17_77

    database = fresh()
    build_town(database, change)

    assert [] == found(database)
    assert [] == [f.figure.sentence for f in judged(database).judgement.figures if not f.passed]


def test_an_office_without_months_before_compares_nothing_and_judges_nothing(fresh):
    database = fresh()
    build_town(database, months=1)

    reviewed = judged(database)

    assert ([], None, 0) == (found(database), reviewed.judgement, reviewed.months)


@pytest.mark.parametrize("months", [13, 4])
def test_a_seasonal_house_that_comes_back_is_no_finding(fresh, months):
    database = fresh()
    build_town(
        database,
        lambda m, house, line, rows: line.update(usage=0.0) if house == 7 and 7 <= m < 12 else None,
        months=months,
    )

    assert [] == found(database)


def test_months_of_28_and_of_33_days_are_alike(fresh):
    start, spans = date(2025, 9, 20), []
    for place in range(12):
        end = start + timedelta(days=(28, 33)[place % 2] - 1)
        spans.append((start, end))
        start = end + timedelta(days=1)
    spans.append((date(2026, 10, 1), date(2026, 10, 28)))
    database = fresh()
    build_town(database, periods=_named_apart(spans))

    assert [] == found(database)


def _named_apart(spans):
    """Keep one period a calendar month: the town names periods by the month they begin in."""
    return list({f"{start:%Y-%m}": (start, end) for start, end in spans}.values())


def test_last_months_file_again_blocks_where_the_meters_show_last_months_reads(fresh):
    def change(m, house, line, rows):
        if m == 12:
            days30 = float(round(30 * (0.8, 0.9, 1, 1.1, 1.2)[house % 5]))
            previous = line["previous_read"] - days30
            line.update(usage=days30, previous_read=previous, current_read=previous + days30)

    database = fresh()
    build_town(database, change)

    again = judged(database).findings["last-month-again"]

    assert [True] == [finding.blocks for finding in again]
    assert {"bill-copied"} == {name for name, _, _ in found(database)}


def test_a_deposit_a_credit_a_plan_and_an_account_that_owes_nothing_are_told(fresh):
    from domain.money import Money

    accounts = {
        1: {"status": "final", "deposit_held": Money(150_00)},
        2: {"closing_balance": Money(-250_00), "amount_due": Money(-250_00)},
        3: {"closing_balance": Money(300_00), "equal_pay_amount": Money(50_00)},
        4: {"amount_due": Money(0)},
    }
    database = fresh()
    build_town(database, accounts=accounts)

    assert [
        ("bill-zero", "A-4", ""),
        ("credit-large", "A-2", ""),
        ("equal-pay-drift", "A-3", ""),
        ("final-without-deposit", "A-1", ""),
    ] == found(database, folded=True)


def on_paper(database, *houses):
    rows = [
        {"period": LAST, "account_key": f"A{n}", "paperless": n not in houses}
        | {"paper": PaperReason.SEND_PAPER if n in houses else None}
        for n in range(40)
    ]
    with database.writing() as books:
        books.execute(delivery_plan.insert(), rows)


def test_an_address_that_no_post_can_use_is_told_of_who_gets_paper_alone(fresh):
    accounts = {
        1: {"zip": "8400"},
        2: {"city": " "},
        3: {"mailing_address": ""},
        4: {"state": "UX"},
        5: {"zip": ""},
    }
    database = fresh()
    build_town(database, accounts=accounts)
    on_paper(database, 1, 2, 3, 4, *range(6, 20))

    _, by_check = look(database)

    assert {
        "A-1": "on paper, and the ZIP has not five or nine digits",
        "A-2": "on paper, and no city is told",
        "A-3": "on paper, and no street is told",
        "A-4": "on paper, and the state is not known",
    } == {finding.account: finding.detail for finding in by_check["address-unusable"]}


def test_where_most_addresses_are_of_another_country_none_is_told(fresh):
    database = fresh()
    build_town(database, accounts={n: {"zip": "K1A 0B1"} for n in range(5)})
    on_paper(database, *range(9))

    _, by_check = look(database)

    assert "address-unusable" not in by_check


def test_a_class_may_have_a_limit_of_its_own(fresh):
    database = fresh()
    build_town(database, seven(usage=93.0))

    of_class = LimitSet("usage-outlier", "factor", "4", "WATER", "WR")
    of_another = LimitSet("usage-outlier", "factor", "4", "WATER", "WI")

    assert [] == found(database, of_class)
    assert [("usage-outlier", "A-7", "WATER")] == found(database, of_another)


@pytest.mark.parametrize(
    "service", ['GARBAGE "XL"', "Égout", "O'Dell `x`", "a{b}$c", "back\\slash"]
)
def test_services_of_any_name_are_judged(fresh, service):
    def change(m, house, line, rows):
        rows[1].update(service=service, amount=17_25 if m < 12 else 34_50)

    database = fresh()
    build_town(database, change)

    reviewed = judged(database)

    failed = {
        (f.figure.check, f.figure.service) for f in reviewed.judgement.figures if not f.passed
    }
    assert ("register-mean", service) in failed
    assert {} == reviewed.errors


def test_what_the_judge_writes_is_json_and_a_page_that_loads_nothing(fresh):
    database = fresh()
    build_town(database)

    judgement = judged(database, page=True).judgement

    assert json.loads(judgement.suite)["expectations"]
    assert json.loads(judgement.result)["success"]
    assert [] == re.findall(r"(?:src|href)=[\"']https?:", judgement.page)
    assert "holds" in judgement.page
    assert "WATER, mean: between $" in judgement.page


@settings(
    max_examples=so_many(4, release=12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(house=st.integers(0, 39), times=st.floats(2.6, 12.0))
def test_a_misread_of_any_house_is_found_and_no_other_house_is(fresh, house, times):
    def change(m, one, line, rows):
        if one == house and m == 12:
            line.update(usage=float(round(line["usage"] * times)))

    database = fresh()
    build_town(database, change, months=6, houses=40)

    assert [("usage-outlier", f"A-{house}", "WATER")] == found(database)


def test_a_price_of_another_meter_size_is_found_where_several_stand_under_one_rate_code(fresh):
    bases = (10_00, 22_00, 61_00)  # by meter size; no one curve fits all three

    def change(m, house, line, rows):
        line["usage"] += (house * 7 + m * 3) % 17
        base = bases[2 if m == 12 and house == 7 else house % 2]
        line["amount"] = round(base + 1_00 * line["usage"] * (1.04 if m == 12 else 1))

    database = fresh()
    build_town(database, change, houses=60)

    assert [("price-unlike-others", "A-7", "WATER")] == found(database)


def test_a_first_bill_for_a_part_of_a_month_is_no_measure_of_the_second(fresh):
    def change(m, house, line, rows):
        if house == 7 and m < 11:
            rows.clear()
        if house == 7 and m == 11:
            line["usage"], line["days"] = 5.0, 5
            rows[1].update(amount=2_88, days=5)

    database = fresh()
    build_town(database, change)

    assert [] == found(database)


def test_a_much_higher_use_after_a_high_one_is_told_again(fresh):
    def change(m, house, line, rows):
        if house == 7 and m >= 11:
            line["usage"] *= 2.5 if m == 11 else 9

    database = fresh()
    build_town(database, change)

    assert [("usage-outlier", "A-7", "WATER")] == found(database)


def test_what_an_estimate_took_too_little_of_is_no_finding_in_the_next_read(fresh):
    def change(m, house, line, rows):
        if house == 7 and m == 11:
            line.update(usage=line["usage"] * 0.1, read_type="estimated")
        if house == 7 and m == 12:
            line["usage"] *= 2.4

    database = fresh()
    build_town(database, change)

    assert [] == found(database)


def test_a_dead_meter_is_worth_what_follows_from_it_too(fresh):
    """Water alone would lose $3.10, and never stood still; sewer by use loses more."""

    def change(m, house, line, rows):
        is_dead = m == 12 and house == 7
        use = 0.0 if is_dead else line["usage"]
        line.update(usage=use, amount=round(10_00 + 8 * use))
        rows.append(a_line("SEWER", amount=round(5_00 + 10 * use), rate_code="SE"))

    database = fresh()
    build_town(database, change)

    assert [("usage-zero", "A-7", "WATER")] == found(database)


def test_gardens_have_the_season_of_their_class_though_they_stand_still_in_winter(fresh):
    def change(m, house, line, rows):
        heat = (0.3, 0, 0, 0, 0, 0.1, 0.4, 1, 1.5, 1.6, 1.5, 1, 0.35)[m]
        line["usage"] = round(line["usage"] * heat * (9 if m == 12 and house == 7 else 1), 1)

    database = fresh()
    build_town(database, change)

    assert [("usage-outlier", "A-7", "WATER")] == found(database)


def test_a_meter_that_is_changed_has_its_use_on_two_lines_and_neither_is_low(fresh):
    def change(m, house, line, rows):
        if house == 7 and m == 12:
            line["usage"] = 6.0
            new = {"meter": "W7-new", "previous_read": 0.0, "current_read": 25.0, "usage": 25.0}
            rows.append(a_line("WATER", amount=25_00, rate_code="WR", **new))

    database = fresh()
    build_town(database, change)

    assert [] == found(database)


@pytest.mark.parametrize(
    ("house", "times", "check"),
    [(0, 1.0, None), (7, 1.1, "usage-not-the-reads"), (8, 10.0, "usage-not-the-reads")],
)
def test_a_multiple_that_moves_for_a_whole_class_is_no_finding(fresh, house, times, check):
    heat = (1.052, 1.03, 1.018)  # gas is billed by its heat, which is another each month

    def change(m, one, line, rows):
        feet = 100 + (one * 13 + m * 5) % 60
        line["current_read"] = line["previous_read"] + feet
        line["usage"] = float(round(feet * heat[m % 3] * (times if (m, one) == (12, house) else 1)))

    database = fresh()
    build_town(database, change)

    told = {(one, account) for one, account, _ in found(database) if one == "usage-not-the-reads"}
    assert ({(check, f"A-{house}")} if check else set()) == told


def test_what_stands_on_other_accounts_each_month_is_no_service_that_was_added(fresh):
    def change(m, house, line, rows):
        if (house + m * 3) % 7 == 0 and (house * 5 + m) % 3 == 0:
            rows.append(a_line("EXTRA PICKUP", amount=35_00))
        if house < 10 or (house, m) == (20, 12):
            rows.append(a_line("RECYCLING", amount=12_40, rate_code="RC"))

    database = fresh()
    build_town(database, change, houses=120)

    assert [("service-added", "A-20", "RECYCLING")] == found(database)


def test_what_all_pay_alike_is_compared_without_a_rate_code(fresh):
    def change(m, house, line, rows):
        rows.append(a_line("LIGHTS", amount=21_00 if (m, house) == (12, 7) else 2_10))

    database = fresh()
    build_town(database, change)

    assert [("price-unlike-others", "A-7", "LIGHTS")] == found(database)


@pytest.mark.parametrize("house", [7, 12, 31])
def test_a_meter_of_decimals_is_not_its_own_measure_of_a_price(fresh, house):
    def change(m, one, line, rows):
        line["usage"] = round(line["usage"] + one * 0.37 + m * 0.11, 2)
        line["amount"] = round(10_00 + 1_00 * line["usage"])
        line["amount"] += 60_00 if (m, one) == (12, house) else 0

    database = fresh()
    build_town(database, change)

    assert [("price-unlike-others", f"A-{house}", "WATER")] == found(database)


def _tenfold_price(month, house, line, rows):
    line["amount"] = round(10 * (10_00 + 1_00 * line["usage"]))


def _tenfold_reads(month, house, line, rows):
    line["usage"] *= 10.0  # another multiple of every meter: use and amount go together


def _tenfold_multiple(month, house, line, rows):
    line["current_read"] = line["previous_read"] + line["usage"]
    line["usage"] *= 10.0  # the reads are right


def _tenfold_charge(month, house, line, rows):
    rows[1]["amount"] *= 10


@pytest.mark.parametrize(
    ("wrong", "service"),
    [
        (_tenfold_price, "WATER"),
        (_tenfold_reads, "WATER"),
        (_tenfold_multiple, "WATER"),
        (_tenfold_charge, "GARBAGE"),
    ],
)
@pytest.mark.parametrize("months", [13, 2])
def test_what_is_tenfold_for_everybody_is_a_finding_of_the_whole(fresh, wrong, service, months):
    """Nobody stands out among others who are wrong alike: totals and averages must tell."""

    def change(month, house, line, rows):
        if month == 12:
            wrong(month, house, line, rows)

    database = fresh()
    build_town(database, change, months=months)

    failed = {
        (figure.figure.check, figure.figure.service)
        for figure in judged(database).judgement.figures
        if not figure.passed
    }
    assert {("register-total", service), ("register-mean", service)} <= failed


@pytest.mark.parametrize("times", [0.1, 2.0, 10.0])
def test_a_multiple_of_one_class_among_several_shows_in_that_classs_figures(fresh, times):
    """The shops of a town whose houses are right: forty of each."""

    def change(month, house, line, rows):
        if house < 40:
            line["rate_code"] = "WB"
            line["current_read"] = line["previous_read"] + line["usage"]
            line["usage"] *= times if month == 12 else 1.0

    database = fresh()
    build_town(database, change, houses=80)

    failed = {
        (figure.figure.check, figure.figure.service, figure.figure.rate_code)
        for figure in judged(database).judgement.figures
        if not figure.passed
    }
    assert ("register-mean", "WATER", "WB") in failed
    assert ("register-mean", "WATER", "WR") not in failed
