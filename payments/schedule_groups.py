"""A plan of autopay by groups: who is drawn on time, who at once, who without notice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.left_out import payments_left_out
from database.tables import planned_payment
from database.varying import is_varying
from domain.money import ZERO, Money
from domain.payments import Unscheduled
from domain.schedule_groups import ScheduleGroup

_PLAN = planned_payment.c
OVER_MAXIMUM = "over-maximum"  # shown beside the groups, and never to be chosen


@dataclass(frozen=True, slots=True)
class Chosen:
    """
    The groups that a person wants scheduled; the others wait for a later run.

    A draw before `noticed_on`, a local date, comes too soon after its notice.
    """

    groups: Collection[ScheduleGroup]
    noticed_on: date

    def holds(self, run: str) -> sa.ColumnElement[bool]:
        """Claim that a planned payment of a run is in one of the groups."""
        return group_of(run, self.noticed_on).in_([group.value for group in self.groups])


@dataclass(frozen=True, slots=True)
class GroupCount:
    """How many payments a group has, and how many of these are charged today."""

    payments: int = 0
    amount: Money = ZERO
    today: int = 0
    amount_today: Money = ZERO


def group_of(run: str, noticed_on: date) -> sa.ColumnElement[Any]:
    """Give a planned payment's group; notice counts more than lateness, for it is owed by law."""
    is_short = sa.and_(_PLAN.pay_on < noticed_on, is_varying(planned_payment, run))
    return sa.case(
        (is_short, ScheduleGroup.SHORT_NOTICE.value),
        (_PLAN.immediate, ScheduleGroup.IMMEDIATE.value),
        else_=ScheduleGroup.ON_TIME.value,
    )


def count_groups(database: Database, run: str, noticed_on: date) -> dict[str, GroupCount]:
    """Count the plan of a run by group; what is over a customer's maximum stands apart."""
    is_over = _PLAN.unscheduled == Unscheduled.OVER_MAXIMUM
    group = sa.case((is_over, OVER_MAXIMUM), else_=group_of(run, noticed_on)).label("group")
    query = (
        sa.select(
            group,
            sa.func.count(),
            sa.func.sum(_PLAN.amount),
            sa.func.count().filter(_PLAN.immediate),
            sa.func.sum(_PLAN.amount).filter(_PLAN.immediate),
        )
        .where(_PLAN.run == run, sa.or_(_PLAN.pay_on.is_not(None), is_over))
        .group_by(group)
    )
    with database.reading() as books:
        found = {
            name: GroupCount(payments, amount, today, amount_today or ZERO)
            for name, payments, amount, today, amount_today in books.execute(query)
        }
    return {name: found.get(name, GroupCount()) for name in (*ScheduleGroup, OVER_MAXIMUM)}


def count_left_out(database: Database, run: str) -> GroupCount:
    """Count the payments of a closed run that no schedule has taken yet."""
    left = payments_left_out(run).subquery()
    query = sa.select(sa.func.count(), sa.func.sum(_PLAN.amount)).join(
        left, sa.and_(_PLAN.run == left.c.period, _PLAN.account_key == left.c._account_key)
    )
    with database.reading() as books:
        payments, amount = books.execute(query).one()
    return GroupCount(payments, amount or ZERO)
