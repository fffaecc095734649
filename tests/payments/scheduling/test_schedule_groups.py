"""A late schedule by groups: what each holds, and that nobody left out is lost (rules 59, 73)."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from data_checks.checks.catalog import CATALOG
from database.queries.exceptions import exceptions
from database.tables import balance_due, gateway_payment
from domain.money import ZERO, Money
from domain.payments import MethodKind
from domain.schedule_groups import ScheduleGroup
from payments.scheduling.scheduling import Chosen, GroupCount, count_groups, count_left_out
from tests.builders import (
    ACH,
    CARD,
    RUN,
    a_household,
    a_mandate,
    close_run,
    stage_run,
)
from tests.payments.scheduling_builders import plan, schedule

LATE = date(2026, 11, 12)  # a Thursday; draws of five days prior come on Friday, the 13th
NOTICED = date(2026, 11, 22)


def enrolled(number: str, days_prior: int, kind: MethodKind, **changes):
    agreed = {"days_prior": days_prior, "method_kind": kind, "method_token": f"tok{number}"}
    maximum = changes.pop("maximum", None)
    return a_household(number, a_mandate(number, maximum=maximum, **agreed), **changes)


@pytest.fixture
def town(database):
    """A closed period that nobody scheduled, with a household for each case."""
    stage_run(
        database,
        enrolled("1", 0, CARD, balance="10.00"),
        enrolled("2", 10, CARD, balance="20.00"),  # due on the 10th
        enrolled("3", 5, ACH, balance="40.00"),  # tomorrow, and its amount is new
        enrolled("4", 10, ACH, balance="80.00"),  # today, and its amount is new
        enrolled("5", 10, ACH, balance="160.00", equal_pay_amount=Money.parse("160.00")),
        enrolled("6", 5, CARD, balance="320.00", maximum=Money.parse("100.00")),
        enrolled("7", 5, CARD, balance="0.00"),
    )
    close_run(database)
    return database


def schedule_late(database, *groups: ScheduleGroup, today=LATE):
    return schedule(database, today, chosen=Chosen(groups, NOTICED) if groups else None)


def accounts_scheduled(database) -> list[str]:
    query = sa.select(gateway_payment.c.account).order_by(gateway_payment.c.account)
    with database.reading() as books:
        return list(books.scalars(query))


def left_out(database) -> list[str]:
    with database.reading() as books:
        rows = books.execute(exceptions()).all()
    return sorted(row.account for row in rows if row.code == "autopay-left-out")


def test_each_payment_is_in_one_group_with_what_is_charged_today(town):
    plan(town, LATE)

    found = count_groups(town, RUN, NOTICED)

    cents = Money.parse
    assert {
        "on-time": GroupCount(1, cents("10.00"), 0, ZERO),
        "immediate": GroupCount(2, cents("180.00"), 2, cents("180.00")),
        "short-notice": GroupCount(2, cents("120.00"), 1, cents("80.00")),
        "over-maximum": GroupCount(1, cents("320.00"), 0, ZERO),
    } == found


@pytest.mark.parametrize("today", [date(2026, 11, 2), LATE, date(2026, 11, 24)])
def test_short_notice_says_what_the_check_of_that_name_says(town, today):
    (check,) = [check for check in CATALOG if check.name == "notice-short"]
    noticed_on = date.fromordinal(today.toordinal() + 10)
    plan(town, today)

    with town.reading() as books:
        found = books.execute(
            sa.text(check.sql),
            {"period": RUN, "starts_on": date(2026, 10, 1), "noticed_on": noticed_on},
        ).all()

    assert len(found) == count_groups(town, RUN, noticed_on)["short-notice"].payments


def test_without_a_choice_everybody_is_scheduled(town):
    counts = schedule_late(town)

    assert (["1", "2", "3", "4", "5"], []) == (accounts_scheduled(town), left_out(town))
    assert (5, 3, 2) == (counts.scheduled, counts.immediate, counts.unscheduled)


def test_who_is_left_out_is_listed_and_scheduled_by_a_later_run(town):
    schedule_late(town, ScheduleGroup.ON_TIME)
    first = accounts_scheduled(town), left_out(town)
    left = count_left_out(town, RUN)
    schedule_late(town, ScheduleGroup.ON_TIME, ScheduleGroup.IMMEDIATE)
    second = accounts_scheduled(town), left_out(town)
    schedule_late(town)

    assert (["1"], ["2", "3", "4", "5"]) == first
    assert GroupCount(4, Money.parse("300.00")) == left
    assert (["1", "2", "5"], ["3", "4"]) == second
    assert (["1", "2", "3", "4", "5"], []) == (accounts_scheduled(town), left_out(town))
    assert GroupCount() == count_left_out(town, RUN)


def test_who_was_left_out_and_has_paid_is_no_exception(town):
    schedule_late(town, ScheduleGroup.ON_TIME)
    with town.writing() as books:
        paid = balance_due.update().where(balance_due.c.account_key == "2")
        books.execute(paid.values(paid=Money.parse("20.00")))

    assert ["3", "4", "5"] == left_out(town)
