"""What the checks are measured against: thresholds, dates and earlier runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import bill_run, period_close
from domain.money import Money

Value = str | int | float | date

HISTORY = 12  # closed runs an average is taken over: a year of months
ROUGHLY = timedelta(days=15)  # a run that starts this near to a year ago is the run a year ago


@dataclass(frozen=True, slots=True)
class Thresholds:
    """
    From where on an amount or a quantity is worth a second look.

    An edit list must be as long as a person can read: some 1-2 % of the accounts. `factor` is how
    many times the usual something may be; the floors keep small quantities out. The usual is the
    larger of the average of up to twelve closed runs and the run a year ago, so that a season is
    no finding; where an account has no history it is the median of its peers in this run.
    """

    usage_factor: float = 2.0
    usage_floor: float = 10.0  # in the meter's unit
    usage_peer_factor: float = 20.0
    usage_peer_floor: float = 100.0  # in the meter's unit
    amount_factor: float = 2.0
    amount_floor: Money = field(default=Money(250_00))
    amount_peer_factor: float = 10.0
    amount_peer_floor: Money = field(default=Money(500_00))
    large_bill: Money = field(default=Money(2_500_00))
    adjustment_limit: Money = field(default=Money(500_00))
    most_pages: int = 20  # of one bill
    most_days_prior: int = 30
    notice_days: int = 10  # before an ACH draw of a changed amount
    fewest_days_to_pay: int = 10  # from the period's end to the due date
    most_days_to_pay: int = 60
    vanished_share: float = 0.1  # of the accounts that had something
    vanished_fewest: int = 2  # accounts
    vanished_blocking_share: float = 0.5
    vanished_fewest_blocking: int = 5


@dataclass(frozen=True, slots=True)
class _Run:
    period: str
    starts_on: date
    ends_on: date
    cycle: str


def parameters(
    books: Connection, period: str, today: date, thresholds: Thresholds
) -> dict[str, Value]:
    """Return the value of every parameter the checks' SQL may name; amounts in cents."""
    this = _read(books, bill_run.c.period == period)[0]
    closed = bill_run.c.period.in_(sa.select(period_close.c.period))
    earlier = _read(books, closed & (bill_run.c.starts_on < this.starts_on))

    return {
        "period": period,
        **_earlier_runs(this, earlier),
        **_dates(this, today, thresholds),
        **_limits(thresholds),
    }


def _read(books: Connection, condition: sa.ColumnElement[bool]) -> Sequence[_Run]:
    statement = (
        sa.select(bill_run.c.period, bill_run.c.starts_on, bill_run.c.ends_on, bill_run.c.cycle)
        .where(condition)
        .order_by(bill_run.c.starts_on.desc(), bill_run.c.period)
    )
    return [_Run(*row) for row in books.execute(statement)]


def _earlier_runs(this: _Run, earlier: Sequence[_Run]) -> dict[str, Value]:
    """
    Say which closed runs to compare with, latest first in `earlier`; '' where there is none.

    Those of the same cycle, if it has any: another cycle has other accounts. The bill before is
    each account's own, which its balance names.
    """
    earlier = [run for run in earlier if run.cycle == this.cycle] or earlier
    history = earlier[:HISTORY]
    year_ago = this.starts_on - timedelta(days=365)
    return {
        "year_ago_run": _first(run for run in earlier if abs(run.starts_on - year_ago) <= ROUGHLY),
        "starts_on": this.starts_on,
        "history_from": history[-1].starts_on if history else this.starts_on,
    }


def _first(runs: Iterable[_Run]) -> str:
    return next((run.period for run in runs), "")


def _dates(this: _Run, today: date, thresholds: Thresholds) -> dict[str, Value]:
    return {
        "ends_on": this.ends_on,
        "day_before": this.starts_on - timedelta(days=1),
        "noticed_on": today + timedelta(days=thresholds.notice_days),
        "earliest_due_on": this.ends_on + timedelta(days=thresholds.fewest_days_to_pay),
        "latest_due_on": this.ends_on + timedelta(days=thresholds.most_days_to_pay),
    }


def _limits(thresholds: Thresholds) -> dict[str, Value]:
    return {
        "usage_factor": thresholds.usage_factor,
        "usage_floor": thresholds.usage_floor,
        "usage_peer_factor": thresholds.usage_peer_factor,
        "usage_peer_floor": thresholds.usage_peer_floor,
        "amount_factor": thresholds.amount_factor,
        "amount_floor": thresholds.amount_floor.cents,
        "amount_peer_factor": thresholds.amount_peer_factor,
        "amount_peer_floor": thresholds.amount_peer_floor.cents,
        "large_bill": thresholds.large_bill.cents,
        "adjustment_limit": thresholds.adjustment_limit.cents,
        "most_pages": thresholds.most_pages,
        "most_days_prior": thresholds.most_days_prior,
        "vanished_share": thresholds.vanished_share,
        "vanished_fewest": thresholds.vanished_fewest,
        "vanished_blocking_share": thresholds.vanished_blocking_share,
        "vanished_fewest_blocking": thresholds.vanished_fewest_blocking,
    }
