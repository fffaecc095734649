"""The schedule-payments run: plans become scheduled payments, and the two lists are complete."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import (
    autopay_unscheduled,
    bill_run,
    period_close,
    planned_payment,
    scheduled_payment,
)
from domain.failures import Refused
from domain.money import ZERO
from domain.payments import PaymentState
from payments.planning import ScheduleCounts, plan_autopay
from payments.schedule_groups import Chosen
from rules.autopay import AutopayPolicy


def schedule_autopay(
    database: Database,
    run: str,
    *,
    now: datetime,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
    chosen: Chosen | None = None,
) -> ScheduleCounts:
    """
    Schedule the payments of a closed period, and list who has none and why (rules 7, 72-82).

    Of a late schedule a person may have chosen some groups; whom that leaves out stays planned and
    is scheduled by a later run (rule 73).

    Scheduling before the close takes last period's amounts: it is refused here, and the database
    has no place for such a row (rules 8, 9). Scheduling again adds only what is missing: a key of
    run and account makes a second payment for the same bill impossible.
    """
    _require_closed(database, run)
    plan_autopay(database, run, today=today, closed=closed, policy=policy)
    with database.writing() as books:
        _lock(books, run)
        _record_scheduled(books, run, now, chosen)
        _record_unscheduled(books, run)
    return schedule_counts(database, run)


def schedule_counts(database: Database, run: str) -> ScheduleCounts:
    """Count the two lists of a run as they stand."""
    payments = scheduled_payment.c
    with database.reading() as books:
        row = books.execute(
            sa.select(
                sa.func.count().label("scheduled"),
                sa.func.coalesce(sa.func.sum(sa.case((payments.immediate, 1), else_=0)), 0).label(
                    "immediate"
                ),
                sa.func.sum(payments.amount).label("amount"),
            ).where(
                payments.run == run,
                payments.number == 1,  # what was returned and is drawn again was scheduled once
                payments.state != PaymentState.CANCELLED,
            )
        ).one()
        unscheduled = books.execute(
            sa.select(sa.func.count())
            .select_from(autopay_unscheduled)
            .where(autopay_unscheduled.c.run == run)
        ).scalar_one()
    return ScheduleCounts(row.scheduled, int(row.immediate), unscheduled, row.amount or ZERO)


def payment_key(run: str, key: str) -> str:
    """Name a payment by what it is for, so that scheduling twice is scheduling once."""
    return f"autopay/{run}/{key}"


def _require_closed(database: Database, run: str) -> None:
    with database.reading() as books:
        closed = books.execute(
            sa.select(period_close.c.run).where(period_close.c.run == run)
        ).one_or_none()
    if closed is None:
        raise Refused(
            "period-open",
            f"Period {run} is not closed, and scheduling before the close would take last "
            f"period's amounts; run `billclose close {run}` first.",
        )


def _lock(books: Connection, run: str) -> None:
    """Wait for whoever is just enrolling or cancelling in this run, and see what they did."""
    books.execute(sa.select(bill_run.c.run).where(bill_run.c.run == run).with_for_update())


def _record_scheduled(books: Connection, run: str, now: datetime, chosen: Chosen | None) -> None:
    plans = planned_payment.c
    rows = sa.select(
        sa.literal(payment_key(run, "")).concat(plans.account_key),
        plans.run,
        plans.account_key,
        plans.account,
        sa.literal(1),
        plans.pay_on,
        plans.amount,
        plans.method_token,
        plans.method_kind,
        plans.last4,
        plans.immediate,
        sa.literal(PaymentState.SCHEDULED.value),
        sa.literal(now, scheduled_payment.c.scheduled_at.type),
    ).where(plans.run == run, plans.unscheduled.is_(None))
    if chosen is not None:
        rows = rows.where(chosen.holds(run))
    books.execute(
        scheduled_payment.insert().from_select(
            [
                "key", "run", "account_key", "account", "number", "pay_on", "amount",
                "method_token", "method_kind", "last4", "immediate", "state", "scheduled_at",
            ],
            rows,
        )
    )  # fmt: skip


def _record_unscheduled(books: Connection, run: str) -> None:
    plans = planned_payment.c
    books.execute(autopay_unscheduled.delete().where(autopay_unscheduled.c.run == run))
    books.execute(
        autopay_unscheduled.insert().from_select(
            ["run", "account_key", "account", "reason"],
            sa.select(plans.run, plans.account_key, plans.account, plans.unscheduled).where(
                plans.run == run, plans.unscheduled.is_not(None)
            ),
        )
    )
