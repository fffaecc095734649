"""The plan of a run's autopay: which enrolled account pays how much on which day."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import bill_run, planned_payment
from database.types import Cents
from domain.money import ZERO, Money
from payments.situations import enrollments, to_situation
from rules.autopay import AutopayPolicy, Decision, decide

READ = (
    "account", "mandate", "payment_method", "enrollment", "enrollment_end", "balance_due",
    "scheduled_payment", "held_account", "suspended_method",
)  # fmt: skip
_OWN = sa.MetaData()  # of one connection, for as long as it plans
_ENROLLED = sa.Table(
    "enrolled",
    _OWN,
    sa.Column("account_key", sa.String(64)),
    sa.Column("account", sa.String(64)),
    sa.Column("code", sa.Integer),
    sa.Column("days_prior", sa.Integer),
    sa.Column("balance", Cents),
    sa.Column("maximum", Cents),
    sa.Column("method_token", sa.String(200)),
    sa.Column("method_kind", sa.String(24)),
    sa.Column("last4", sa.String(4)),
    prefixes=["TEMPORARY"],
)
_DECIDED = sa.Table(
    "decided",
    _OWN,
    sa.Column("code", sa.Integer),
    sa.Column("days_prior", sa.Integer),
    sa.Column("unscheduled", sa.String(24)),
    sa.Column("pay_on", sa.Date),
    sa.Column("immediate", sa.Boolean),
    sa.Column("draws_maximum", sa.Boolean),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True)
class ScheduleCounts:
    """What a schedule run left behind: the two lists and what will be drawn (rules 74-82)."""

    scheduled: int
    immediate: int
    unscheduled: int
    amount: Money


def plan_autopay(
    database: Database,
    run: str,
    *,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
) -> ScheduleCounts:
    """
    Work out the payments of a run and write them down as plans; nothing is scheduled by it.

    Every enrolled account gets a payment or a reason (rule 82). Accounts that already have a
    payment in this run are left alone, so that planning again never plans one twice; one that was
    taken off the schedule stays off it (rule 58).

    The rule decides once for each situation that occurs, and the database gives every account the
    decision of its own: a town of 200,000 has a few hundred.
    """
    with database.writing() as books, _own_tables(books):
        _count_anew(books, *READ)
        columns = [column.name for column in _ENROLLED.columns]
        books.execute(_ENROLLED.insert().from_select(columns, enrollments(run)))
        _count_anew(books, _ENROLLED.name)
        due_on = books.execute(sa.select(bill_run.c.due_on).where(bill_run.c.run == run))
        _decide(books, due_on.scalar_one(), today, closed, policy)
        books.execute(planned_payment.delete().where(planned_payment.c.run == run))
        _record(books, run)
        return _count(books, run)


@contextmanager
def _own_tables(books: Connection) -> Iterator[None]:
    """Make the tables of planning, and take them away again; a failure takes them back anyway."""
    _OWN.create_all(books, checkfirst=False)
    yield
    _OWN.drop_all(books, checkfirst=False)


def _count_anew(books: Connection, *tables: str) -> None:
    """
    Let PostgreSQL count what was just loaded: it takes tables that it never counted for empty.

    It would join 50,000 accounts by comparing each with each.
    """
    if books.dialect.name == "postgresql":
        books.exec_driver_sql(f"ANALYZE {', '.join(tables)}")


def _decide(
    books: Connection,
    due_on: date,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
) -> None:
    found = books.execute(sa.select(_ENROLLED.c.code, _ENROLLED.c.days_prior).distinct()).all()
    rows = []
    for code, days_prior in found:
        situation = to_situation(code, days_prior)
        decided = decide(situation, due_on=due_on, today=today, closed=closed, policy=policy)
        rows.append(_as_row(code, days_prior, decided))
    if rows:
        books.execute(_DECIDED.insert(), rows)


def _as_row(code: int, days_prior: int, decided: Decision) -> dict[str, Any]:
    return {
        "code": code,
        "days_prior": days_prior,
        "unscheduled": decided.reason,
        "pay_on": decided.pay_on,
        "immediate": decided.immediate,
        "draws_maximum": decided.draws_maximum,
    }


def _record(books: Connection, run: str) -> None:
    """Give every account the decision of its situation."""
    one, by = _ENROLLED.c, _DECIDED.c
    amount = sa.case((by.draws_maximum, one.maximum), else_=one.balance)
    rows = (
        sa.select(
            sa.literal(run), one.account_key, one.account, amount, by.pay_on, by.immediate,
            by.unscheduled, one.method_token, one.method_kind, one.last4,
        )
        .join(_DECIDED, sa.and_(by.code == one.code, by.days_prior == one.days_prior))
        .order_by(one.account_key)
    )  # fmt: skip
    names = [
        "run", "account_key", "account", "amount", "pay_on", "immediate", "unscheduled",
        "method_token", "method_kind", "last4",
    ]  # fmt: skip
    books.execute(planned_payment.insert().from_select(names, rows))


def _count(books: Connection, run: str) -> ScheduleCounts:
    plans = planned_payment.c
    is_drawn = plans.unscheduled.is_(None)
    row = books.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(is_drawn),
            sa.func.count().filter(is_drawn, plans.immediate),
            sa.func.sum(plans.amount).filter(is_drawn),
        ).where(plans.run == run)
    ).one()
    everybody, scheduled, immediate, amount = row
    return ScheduleCounts(scheduled, immediate, everybody - scheduled, amount or ZERO)
