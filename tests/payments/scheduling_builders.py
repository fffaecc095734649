"""Planning and scheduling autopay as an office does that keeps to the defaults."""

from __future__ import annotations

from datetime import date, datetime

from database.books import Database
from payments.scheduling.planning import ScheduleCounts, plan_autopay
from payments.scheduling.scheduling import Chosen, schedule_autopay
from rules.calendars import bank_closed_days
from rules.money.autopay import AutopayPolicy
from tests.builders import CLOSING_DAY, NOW, OFFICE_DEFAULTS, RUN

BANKS = bank_closed_days()


def plan(
    database: Database,
    today: date = CLOSING_DAY,
    period: str = RUN,
    policy: AutopayPolicy = OFFICE_DEFAULTS,
) -> ScheduleCounts:
    return plan_autopay(database, period, today=today, closed=BANKS, policy=policy)


def schedule(
    database: Database,
    today: date = CLOSING_DAY,
    period: str = RUN,
    policy: AutopayPolicy = OFFICE_DEFAULTS,
    *,
    now: datetime = NOW,
    chosen: Chosen | None = None,
) -> ScheduleCounts:
    return schedule_autopay(
        database, period, now=now, today=today, closed=BANKS, policy=policy, chosen=chosen
    )
