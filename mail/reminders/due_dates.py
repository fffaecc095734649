"""Due dates with balances that stand for them, as they are at a moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import balance_due, bill_run, period_close
from mail.reminders.holds import Hold, holds_in_force
from rules.mail.reminders import Exemption, OwedStep, ReminderPlan


@dataclass(frozen=True, slots=True)
class DueDate:
    """A due date at a moment; `holds` are in force on its local day."""

    period: str
    due_on: date
    timezone: str
    ends_on: date
    closed_at: datetime
    now: datetime
    holds: tuple[Hold, ...] = field(default=(), repr=False)

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.timezone)).date()

    def owed(self, plan: ReminderPlan) -> tuple[OwedStep, ...]:
        return plan.owed(self.due_on, self.now, ZoneInfo(self.timezone))

    def is_over(self, plan: ReminderPlan) -> bool:
        return plan.is_over(self.due_on, self.now, ZoneInfo(self.timezone))


def due_dates(books: Connection, now: datetime, period: str | None = None) -> list[DueDate]:
    """Return the due dates of the balances that stand now, the oldest first."""
    dates = sa.select(balance_due.c.period, balance_due.c.due_on).distinct().subquery()
    query = (
        sa.select(
            dates.c.period,
            dates.c.due_on,
            bill_run.c.timezone,
            bill_run.c.ends_on,
            period_close.c.closed_at,
        )
        .join(bill_run, bill_run.c.period == dates.c.period)
        .join(period_close, period_close.c.period == dates.c.period)
        .order_by(dates.c.due_on, dates.c.period)
    )
    if period is not None:
        query = query.where(dates.c.period == period)
    return [
        DueDate(
            **row._mapping,
            now=now,
            holds=holds_in_force(books, now.astimezone(ZoneInfo(row.timezone)).date()),
        )
        for row in books.execute(query).all()
    ]


BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Reminding:
    """
    The office's plan at a moment; `records` is false where it only wants to know.

    Without a `exemption` our own failures keep no past-due mail from anybody.
    """

    plan: ReminderPlan
    now: datetime
    who: str
    message_domain: str
    records: bool = True
    batch: int = BATCH  # mails recorded in one transaction
    exemption: Exemption | None = None
    left_out: frozenset[str] = frozenset()  # periods whose balances are too old to dun by
