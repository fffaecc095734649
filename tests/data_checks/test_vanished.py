"""What disappears in bulk against each account's own last period."""

from __future__ import annotations

from datetime import date

import pytest

from data_checks.check import find, to_query
from data_checks.checks.vanished import VANISHED
from data_checks.parameters import Thresholds, parameters
from domain.money import Money
from tests.builders import CLOSING_DAY, a_household, close_run, stage_run

(CHECK,) = VANISHED
SEPTEMBER, OCTOBER = date(2026, 9, 30), date(2026, 10, 31)


def town(count: int, first: int = 1, **changes) -> list:
    return [a_household(f"01.{number}.1", **changes) for number in range(first, first + count)]


def findings(database, *, thresholds=Thresholds(), period="2026-10"):  # noqa: B008 - frozen
    with database.reading() as books:
        values = parameters(books, period, CLOSING_DAY, thresholds)
        return [(one.detail, one.blocks) for one in find(books, CHECK, to_query(CHECK.sql, values))]


def close_september(database, *households, period="2026-09"):
    stage_run(database, *households, period=period, ends_on=SEPTEMBER, due_on=date(2026, 10, 20))
    close_run(database, period)


@pytest.mark.parametrize(
    ("had", "has", "kind"),
    [
        ({}, {"mandates": (), "links": [("a@b.test", True)]}, "an autopay mandate"),
        ({}, {"email": ""}, "an e-mail address"),
        ({"equal_pay_amount": Money(50_00)}, {}, "an equal-pay amount"),
        ({"links": [("ann@example.com", True)]}, {}, "a portal link"),
    ],
)
def test_what_is_gone_of_all_accounts_is_told_and_blocks(database, had, has, kind):
    close_september(database, *town(8, **had))
    stage_run(database, *town(8, **has))

    assert (f"8 of 8 accounts that had {kind} have none now, such as 01.1.1", True) in findings(
        database
    )


def test_nothing_is_told_where_nothing_is_gone(database):
    close_september(database, *town(8))
    stage_run(database, *town(8))

    assert [] == findings(database)


def test_a_first_close_has_nothing_to_compare_with(database):
    stage_run(database, *town(8, mandates=(), email=""))

    assert [] == findings(database)


@pytest.mark.parametrize(
    ("gone", "told"),
    [(1, []), (2, [False]), (10, [False]), (11, [True])],
    ids=["one customer", "a tenth", "a half", "more than half"],
)
def test_the_share_that_is_gone_decides(database, gone, told):
    close_september(database, *town(20))
    stage_run(database, *town(gone, email=""), *town(20 - gone, gone + 1))

    assert told == [blocks for _, blocks in findings(database)]


def test_a_setting_says_from_which_share_on_it_blocks(database):
    close_september(database, *town(20))
    stage_run(database, *town(20, email=""))

    assert [False] == [
        blocks for _, blocks in findings(database, thresholds=Thresholds(vanished_blocking_share=1))
    ]


def test_a_few_accounts_never_block(database):
    close_september(database, *town(4))
    stage_run(database, *town(4, email=""))

    assert [False] == [blocks for _, blocks in findings(database)]


def test_who_cancelled_is_not_gone(database):
    close_september(database, *town(8))
    cancelled = [
        a_household(f"01.{n}.1", mandates=(), cancelled=before.mandates)
        for n, before in enumerate(town(8), start=1)
    ]
    stage_run(database, *cancelled)

    assert [] == findings(database)


def test_each_cycle_is_compared_with_its_own_last_period(database):
    close_september(database, *town(8, mandates=()), period="2026-09-A")
    early = {"ends_on": date(2026, 9, 15), "due_on": date(2026, 10, 5)}
    stage_run(database, *town(8, 100), period="2026-09-B", **early)
    close_run(database, "2026-09-B")
    stage_run(database, *town(8, 100, mandates=()), period="2026-10-B", ends_on=OCTOBER)

    found = findings(database, period="2026-10-B")

    said = "8 of 8 accounts that had an autopay mandate have none now, such as 01.100.1"
    assert (said, True) in found
