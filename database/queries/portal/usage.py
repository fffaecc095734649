"""Usage of customers: records one by one, and month by month beside what was billed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.queries.outsorted import is_outsorted
from database.tables import bill_run, movement, period_close
from domain.money import Money
from domain.movements import MovementKind


@dataclass(frozen=True, slots=True)
class UsageWish:
    """Which usage records are asked for; what is empty narrows nothing."""

    service: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """What a meter showed, and what it came to; `usage` in the service's own unit (rule 180)."""

    account_key: str
    account: str
    period: str
    line: int
    posted_on: date
    service: str
    description: str
    usage: float
    unit: str
    amount: Money

    @property
    def identity(self) -> str:
        """The record's own name: its period, and its line in the period's export."""
        return f"{self.period}-{self.line}"


@dataclass(frozen=True, slots=True)
class Consumption:
    """
    What one service used in one closed period, in the service's own unit.

    `is_metered`: the export names its meter.
    """

    account: str
    service: str
    ends_on: date
    usage: float
    billed: Money
    unit: str = ""
    is_metered: bool = False


@dataclass(frozen=True, slots=True)
class Billed:
    """What an account was billed in one closed period, all services together."""

    account: str
    ends_on: date
    amount: Money


ALL = UsageWish()


def usage_records(
    books: Connection, keys: Sequence[str], wish: UsageWish = ALL, *, most: int, after: int = 0
) -> list[UsageRecord]:
    """Return the newest usage records of accounts, over all closed periods (rules 182, 183)."""
    row = movement.c
    query = (
        sa.select(
            row.account_key,
            row.account,
            row.period,
            row.line,
            row.posted_on,
            row.service,
            row.description,
            row.usage,
            row.unit,
            row.amount,
        )
        .join(period_close, period_close.c.period == row.period)
        .where(*_asked(keys, wish))
        .order_by(row.posted_on.desc(), row.period.desc(), row.line.desc())
        .limit(most)
        .offset(after)
    )
    return [UsageRecord(*found) for found in books.execute(query)]


def count_usage(books: Connection, keys: Sequence[str], wish: UsageWish = ALL) -> int:
    """Return how many usage records there are of what is asked for."""
    query = (
        sa.select(sa.func.count())
        .select_from(movement)
        .join(period_close, period_close.c.period == movement.c.period)
        .where(*_asked(keys, wish))
    )
    return books.scalar(query) or 0


def metered_services(books: Connection, keys: Sequence[str]) -> list[str]:
    """Return the services of accounts that have usage, by name."""
    query = (
        sa.select(movement.c.service)
        .distinct()
        .join(period_close, period_close.c.period == movement.c.period)
        .where(*_asked(keys, ALL))
        .order_by(movement.c.service)
    )
    return list(books.scalars(query))


def consumption_of(books: Connection, keys: Sequence[str]) -> list[Consumption]:
    """Return usage and billed amount by account, service with usage and period, oldest first."""
    row = movement.c
    amount = sa.func.sum(row.amount, type_=row.amount.type)
    month = (row.account, row.service, bill_run.c.ends_on)
    query = (
        sa.select(
            *month,
            sa.func.sum(row.usage),
            amount,
            sa.func.max(row.unit),
            sa.func.max(row.meter) != "",
        )
        .join(period_close, period_close.c.period == row.period)
        .join(bill_run, bill_run.c.period == row.period)
        .where(*_asked(keys, ALL))
        .group_by(*month)
        .order_by(*month)
    )
    return [Consumption(*found) for found in books.execute(query)]


def billed_of(books: Connection, keys: Sequence[str]) -> list[Billed]:
    """Return what was billed by account and period, oldest first; payments are not in it."""
    row = movement.c
    amount = sa.func.sum(row.amount, type_=row.amount.type)
    month = (row.account, bill_run.c.ends_on)
    query = (
        sa.select(*month, amount)
        .join(period_close, period_close.c.period == row.period)
        .join(bill_run, bill_run.c.period == row.period)
        .where(
            row.account_key.in_(keys),
            row.kind == MovementKind.BILLING,
            ~is_outsorted(row.period, row.account_key),
        )
        .group_by(*month)
        .order_by(*month)
    )
    return [Billed(*found) for found in books.execute(query)]


def _asked(keys: Sequence[str], wish: UsageWish) -> list[sa.ColumnElement[Any]]:
    """Say which movements are usage records that are asked for; none of a bill held back."""
    row = movement.c
    asked: list[sa.ColumnElement[Any]] = [
        row.account_key.in_(keys),
        row.usage.is_not(None),
        ~is_outsorted(row.period, row.account_key),
    ]
    if wish.service:
        asked.append(row.service == wish.service)
    if wish.since:
        asked.append(row.posted_on >= wish.since)
    if wish.until:
        asked.append(row.posted_on <= wish.until)
    return asked
