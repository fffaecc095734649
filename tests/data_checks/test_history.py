"""What is usual: earlier closed runs, the run a year ago, and the peers where there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from data_checks.check import find, to_query
from data_checks.checks.catalog import CATALOG
from data_checks.parameters import Thresholds, parameters
from domain.money import Money
from tests.builders import a_household, close_run, stage_run
from tests.data_checks.rows import (
    CLOSED,
    PREVIOUS,
    RUN,
    TODAY,
    YEAR_AGO,
    add_movement,
    key,
    number,
)

DEFAULT = Thresholds()
CHECKS = {check.name: check for check in CATALOG}
YEAR_AGO_OPEN = f"DELETE FROM period_close WHERE period = '{YEAR_AGO}'"
PREVIOUS_LATER = f"UPDATE bill_run SET starts_on = '2026-12-01', ends_on = '2026-12-31' \
WHERE period = '{PREVIOUS}'"


def found(connection, check: str, thresholds: Thresholds = DEFAULT) -> list[str]:
    values = parameters(connection, RUN, TODAY, thresholds)
    query = to_query(CHECKS[check].sql, values)
    return [finding.account for finding in find(connection, CHECKS[check], query)]


@pytest.fixture
def connection(clean_books):
    with clean_books.engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


def use(connection, amount: float, account: int = 5, period: str = RUN) -> None:
    statement = (
        f"UPDATE movement SET usage = {amount}"
        f" WHERE period = '{period}' AND account_key = '{key(account)}' AND service = 'WATER'"
    )
    connection.execute(sa.text(statement))


def owe(connection, cents: int, period: str = RUN) -> None:
    of_account = f"period = '{period}' AND account_key = '{key(5)}'"
    statement = f"UPDATE account SET amount_due = {cents} WHERE {of_account}"
    connection.execute(sa.text(statement))


def forget(connection) -> None:
    """Take the earlier runs out of the history."""
    connection.execute(sa.text(YEAR_AGO_OPEN))
    connection.execute(sa.text(PREVIOUS_LATER))


def test_the_runs_to_compare_with_are_the_closed_ones_before(connection):
    values = parameters(connection, RUN, TODAY, Thresholds())

    compared = (values["year_ago_run"], values["history_from"])
    assert (YEAR_AGO, date(2025, 10, 1)) == compared


def test_without_earlier_runs_there_is_nothing_to_compare_with(connection):
    forget(connection)

    values = parameters(connection, RUN, TODAY, Thresholds())

    assert "" == values["year_ago_run"]


def test_a_period_that_does_not_border_on_this_one_is_not_the_one_before(connection):
    opening = f"UPDATE account SET opening_balance = 1 WHERE period = '{RUN}' AND account_key = '5'"
    connection.execute(sa.text(opening.replace("'5'", f"'{key(5)}'")))
    assert found(connection, "opening-changed") == [number(5)]

    connection.execute(sa.text(PREVIOUS_LATER))

    assert found(connection, "opening-changed") == []


def test_the_bill_before_is_the_accounts_own_whatever_cycle_closed_last(connection):
    other = "UPDATE bill_run SET cycle = 'A' WHERE period = :period"
    connection.execute(sa.text(other), {"period": PREVIOUS})
    opening = f"UPDATE account SET opening_balance = 1 WHERE period = '{RUN}' AND account_key = "
    connection.execute(sa.text(f"{opening}'{key(5)}'"))

    assert found(connection, "opening-changed") == [number(5)]


def test_an_account_of_another_cycle_has_not_vanished(connection):
    gone = f"DELETE FROM account WHERE period = '{RUN}' AND account_key = '{key(5)}'"
    owed = f"UPDATE account SET closing_balance = 1 WHERE period = '{PREVIOUS}'"
    for statement in (gone, owed):
        connection.execute(sa.text(statement))
    assert found(connection, "account-vanished") == [number(5)]

    connection.execute(sa.text(f"UPDATE bill_run SET cycle = 'A' WHERE period = '{PREVIOUS}'"))

    assert found(connection, "account-vanished") == []


def test_usage_as_high_as_a_year_ago_is_a_season(connection):
    use(connection, 100)
    use(connection, 60, period=YEAR_AGO)

    assert found(connection, "usage-outlier") == []


def test_usage_that_doubles_is_found_at_a_lower_factor(connection):
    use(connection, 55)

    assert found(connection, "usage-outlier") == []
    assert [number(5)] == found(connection, "usage-outlier", Thresholds(usage_factor=1.5))


def test_a_small_usage_is_no_outlier(connection):
    use(connection, 9)
    use(connection, 1, period=PREVIOUS)
    use(connection, 1, period=YEAR_AGO)

    assert found(connection, "usage-outlier") == []


def test_without_history_usage_is_compared_with_the_peers(connection):
    forget(connection)
    use(connection, 590, account=4)
    use(connection, 610, account=5)

    assert [number(5)] == found(connection, "usage-outlier")


def test_a_service_that_is_new_to_the_account_is_compared_with_the_peers(connection):
    ends_on = date(2026, 10, 31)
    for line, (account, usage) in enumerate(((4, 5.0), (5, 6.0), (6, 400.0)), start=900):
        add_movement(connection, line, account, "billing", Money(0), ends_on, "GAS", usage)

    assert [number(6)] == found(connection, "usage-outlier")


def test_an_amount_as_high_as_a_year_ago_is_usual(connection):
    owe(connection, 300_00)
    owe(connection, 200_00, period=YEAR_AGO)

    assert found(connection, "amount-outlier") == []


def test_without_history_an_amount_is_compared_with_the_peers(connection):
    forget(connection)
    owe(connection, 599_00)
    assert found(connection, "amount-outlier") == []

    owe(connection, 601_00)
    assert [number(5)] == found(connection, "amount-outlier")


def test_a_closed_account_is_no_outlier(connection):
    statement = f"UPDATE account SET amount_due = 900000 WHERE account_key = '{key(CLOSED)}'"
    connection.execute(sa.text(statement))

    assert found(connection, "amount-outlier") == []
    assert found(connection, "large-bill") == []


def test_a_changed_ach_draw_needs_its_notice_unless_the_amount_is_agreed(connection):
    soon = f"UPDATE planned_payment SET pay_on = '2026-11-11' WHERE period = '{RUN}'"
    connection.execute(sa.text(soon))
    assert [number(7)] == found(connection, "notice-short")
    assert found(connection, "notice-short", replace(Thresholds(), notice_days=9)) == []

    agreed = f"UPDATE account SET equal_pay_amount = 6000 WHERE account_key = '{key(7)}'"
    connection.execute(sa.text(agreed))
    assert found(connection, "notice-short") == []


def test_the_same_ach_draw_as_the_period_before_needs_no_notice(connection):
    soon = f"UPDATE planned_payment SET pay_on = '2026-11-11', amount = 5000 WHERE period = '{RUN}'"
    connection.execute(sa.text(soon))

    assert found(connection, "notice-short") == []


@pytest.mark.parametrize(
    ("exported", "vanished"),
    [(("3", "4"), []), (("3",), ["4"]), (("1", "3"), ["2", "4"]), (("9",), ["1", "2", "3", "4"])],
    ids=["a cycle of its own", "one gone", "cycles joined", "all numbers new"],
)
def test_cycles_that_nobody_named_are_told_by_their_accounts(database, exported, vanished):
    first, other, now = "2026-10-A", "2026-10-B", "2026-11-B"
    stage_run(database, a_household("1"), a_household("2"), period=first)
    stage_run(database, a_household("3"), a_household("4"), period=other)
    for period in (first, other):
        close_run(database, period)
    last_day = date(2026, 11, 30)
    stage_run(database, *map(a_household, exported), period=now, ends_on=last_day)

    with database.reading() as books:
        values = parameters(books, now, date(2026, 12, 1), DEFAULT)
        check = CHECKS["account-vanished"]
        found_now = find(books, check, to_query(check.sql, values))

    assert vanished == sorted(one.account for one in found_now)
