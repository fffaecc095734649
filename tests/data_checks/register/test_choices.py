"""What an office sets and knows of its checks, on a town known by heart."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest
import sqlalchemy as sa

from data_checks.checking import check_run
from data_checks.checks.catalog import CATALOG
from data_checks.choices.chosen import ALL, ALWAYS, FIXED, read_choices, record_choice
from data_checks.choices.muting import mute, unmute
from data_checks.recording import is_waivable
from data_checks.register.limits import LimitSet
from database.tables import audit, check_finding
from domain.checks import CheckStatus, Severity
from domain.failures import Misuse, Refused
from domain.money import Money
from reporting.run_sheet.findings import read_findings
from tests.data_checks.register.town import AT, LAST, build_town
from tests.done_before import as_done_before

TODAY = date(2026, 11, 2)
IN_SQL = [check for check in CATALOG if check.name == "usage-outlier"]


@pytest.fixture
def town(database):
    """House 7 used three times what it usually does: $62.00 at stake."""

    def change(month, house, line, rows):
        if house == 7 and month == 12:
            line.update(usage=93.0)

    as_done_before(database, "a town with an outlier", partial(build_town, database, change))
    return database


def outlier(database, today=TODAY):
    """Look for the outlier alone, as the office wants it; return its result."""
    with database.reading() as books:
        choices = read_choices(books)
    results = check_run(database, LAST, today=today, checks=IN_SQL, choices=choices, at=AT)
    return next((result for result in results if result.check == "usage-outlier"), None)


def know(database, **changes):
    with database.writing() as books:
        told = {"until": date(2026, 12, 31), "reason": "a pool", "today": TODAY, "now": AT}
        mute(books, "usage-outlier", "A-7", who="anna", always=ALWAYS, **(told | changes))


def choose(database, check, name, value):
    with database.writing() as books:
        change = LimitSet(check, name, value)
        record_choice(books, change, reason="as we want it", now=AT, who="anna")


def test_a_muted_finding_is_known_until_its_day_and_counts_again_the_day_after(town):
    know(town, up_to=Money(100_00))

    muted, after = outlier(town), outlier(town, date(2027, 1, 1))

    assert (CheckStatus.PASSED, 0) == (muted.status, muted.failed)
    assert (CheckStatus.WARNED, ("A-7",)) == (after.status, after.accounts)


def test_a_finding_above_the_muted_amount_counts(town):
    know(town, up_to=Money(50_00))

    assert 1 == outlier(town).failed


def test_what_is_known_stands_in_the_books_and_the_mute_in_the_audit_list(town):
    know(town)
    outlier(town)

    with town.reading() as books:
        known = books.scalars(
            sa.select(check_finding.c.known_until).where(
                check_finding.c.check_name == "usage-outlier"
            )
        ).all()
        actions = books.execute(sa.select(audit.c.action, audit.c.subject)).all()
    assert [date(2026, 12, 31)] == known
    assert [("mute check", "A-7")] == [tuple(row) for row in actions]


def test_one_check_and_account_are_muted_once_and_may_be_unmuted(town):
    know(town)

    with pytest.raises(Refused, match="muted"):
        know(town)
    with town.writing() as books:
        unmute(books, "usage-outlier", "A-7", now=AT, who="anna")

    assert 1 == outlier(town).failed


@pytest.mark.parametrize("until", [date(2026, 11, 1), date(2028, 1, 1)])
def test_a_mute_ends_within_thirteen_months(database, until):
    with pytest.raises(Misuse, match="ends between"):
        know(database, until=until)


@pytest.mark.parametrize(
    ("value", "status"),
    [("block", CheckStatus.FAILED), ("warn", CheckStatus.WARNED), ("fold", CheckStatus.WARNED)],
)
def test_a_severity_is_the_offices(town, value, status):
    choose(town, "usage-outlier", "severity", value)

    assert status == outlier(town).status


def test_a_check_that_is_off_does_not_run(town):
    choose(town, "usage-outlier", "severity", "off")

    assert outlier(town) is None


def test_what_is_folded_is_good_to_know_and_what_warns_must_be_done_before_the_yes(town):
    outlier(town)
    with town.reading() as books:
        before = read_findings(books, LAST)
    choose(town, "usage-outlier", "severity", "fold")
    outlier(town)
    with town.reading() as books:
        after = read_findings(books, LAST)

    told = next(found for found in before.must_do if found.check == "usage-outlier")
    first = told.first[0]
    assert ("A-7", "Mill", 13) == (first.account, first.name, len(first.months))
    assert abs(first.stake.cents - 62_00) <= 5
    assert "usage-outlier" in {found.check for found in after.good_to_know}
    assert "usage-outlier" not in {found.check for found in after.must_do}


@pytest.mark.parametrize("check", sorted(FIXED))
def test_what_the_contract_blocks_by_is_never_lowered_and_the_way_past_is_a_true_one(
    database, check
):
    with pytest.raises(Refused, match="always blocks") as refused:
        choose(database, check, "severity", "warn")

    assert is_waivable(ALL[check]) == ("waive it for that one" in str(refused.value))


@pytest.mark.parametrize(
    ("check", "name", "value", "said"),
    [
        ("usage-outlierr", "factor", "3", "did you mean usage-outlier"),
        ("usage-outlier", "faktor", "3", "did you mean factor"),
        ("usage-outlier", "factor", "nan", "is not from"),
        ("usage-outlier", "severity", "loud", "block, warn, fold or off"),
    ],
)
def test_a_mistyped_choice_is_refused_with_what_was_meant(database, check, name, value, said):
    with pytest.raises(Misuse, match=said):
        choose(database, check, name, value)


def test_a_muted_account_with_another_meter_counts_again(database):
    def change(month, house, line, rows):
        if house == 7 and month == 12:
            line.update(usage=93.0)

    build_town(database, change)
    know(database)
    with database.writing() as books:
        books.execute(
            sa.text(
                "UPDATE movement SET meter = 'NEW' WHERE account_key = 'A7' AND period = :period "
                "AND service = 'WATER'"
            ),
            {"period": LAST},
        )

    assert Severity.WARNING == outlier(database).severity
    assert 1 == outlier(database).failed


@pytest.mark.parametrize(
    ("service", "rate", "said"),
    [
        ("WTER", "", "No service 'WTER' was ever billed (did you mean WATER?)."),
        ("water", "", "No service 'water' was ever billed (did you mean WATER?)."),
        ("WATER", "WX", "WATER has no rate code 'WX'; it has WR."),
    ],
)
def test_a_limit_of_a_service_that_was_never_billed_is_refused(town, service, rate, said):
    change = LimitSet("usage-outlier", "factor", "3", service, rate)

    with pytest.raises(Misuse) as refused, town.writing() as books:
        record_choice(books, change, reason="sprinklers", now=AT, who="anna")

    assert said == str(refused.value).partition("\n")[0]
    with town.reading() as books:
        assert not books.scalar(sa.select(sa.func.count()).select_from(audit))


def test_before_the_first_export_a_limit_of_any_service_may_be_set(database):
    with database.writing() as books:
        change = LimitSet("usage-outlier", "factor", "3", "WATER", "WI")
        record_choice(books, change, reason="sprinklers", now=AT, who="anna")

    with database.reading() as books:
        assert 3.0 == read_choices(books).limits.of("usage-outlier", "factor", "WATER", "WI")
