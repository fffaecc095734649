"""The plan of a run's autopay: which enrolled account pays how much on which day."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import accumulate
from operator import mul
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.account_changes import IN_FORCE, told_in_force
from database.ledger.boundary_plans import carried_by_plan
from database.queries.arrangements.deferred import deferred_by_account
from database.queries.balances import open_balance
from database.queries.mandates import mandates_in_force
from database.queries.outsorted import outsorted_once
from database.tables import (
    account,
    balance_due,
    bill_run,
    period_close,
    planned_payment,
    scheduled_payment,
    suspended_method,
)
from database.types import Cents
from domain.accounts import AccountStatus
from domain.corrections import PERIOD_UNDONE
from domain.money import ZERO, Money
from domain.payments import MethodKind, PaymentState
from rules.money.autopay import AutopayPolicy, DrawPlan, Situation, decide

FLAG = (False, True)
NOTHING = sa.literal(ZERO, Cents())


@cache
def enrollments() -> sa.Select[Any]:
    """
    Select the mandate in force of each account that has no payment in a run yet.

    Given are `run`, its period, and `today`, a local date. It is said once: to say it takes longer
    than a small town's plan.

    `code` is the number of the account's situation (`to_situation`), days prior apart. What was
    paid is taken off the balance due; a closed run whose balance is gone has been followed by a
    later one, which holds what was open: drawing for both would take the same money twice. Before
    the close it is the amount due with what the check found to be carried over, so that a
    rehearsal and the close agree to the cent. What a payment arrangement puts off is left out:
    the mandate is for bills.
    """
    period = sa.bindparam("run", type_=sa.String())
    today = sa.bindparam("today", type_=sa.Date())
    agreed = mandates_in_force(period)
    told, apart = told_in_force(period, IN_FORCE), outsorted_once(period)
    same_account = account.c.account_key == agreed.c.account_key
    due = sa.and_(balance_due.c.period == period, balance_due.c.account_key == agreed.c.account_key)
    is_closed = sa.exists().where(period_close.c.period == period)
    carried = carried_by_plan(period).subquery("carried")
    plans = deferred_by_account(today)
    put_off = plans.c.deferred
    whole = sa.case(
        (balance_due.c.account_key.is_not(None), open_balance()),
        (is_closed, NOTHING),
        else_=account.c.amount_due + sa.func.coalesce(carried.c.carried, NOTHING),
    )
    balance = sa.case((put_off > NOTHING, whole - put_off), else_=whole)
    is_arranged = sa.and_(put_off > NOTHING, whole > NOTHING)
    state, cancelled = scheduled_payment.c.state, PaymentState.CANCELLED
    period_due = sa.select(bill_run.c.due_on).where(bill_run.c.period == period).scalar_subquery()
    due_on = sa.func.coalesce(apart.c.due_on, period_due, type_=sa.Date())
    is_off = sa.and_(state == cancelled, ~was_undone(scheduled_payment))
    facts = _Facts(agreed, told, balance, due_on, is_arranged, today)
    places = facts.places(apart.c.is_held, _has_payment(period, agreed, is_off))
    return (
        sa.select(
            account.c.account_key,
            account.c.account,
            _code(places).label("code"),
            agreed.c.days_prior,
            due_on.label("due_on"),
            balance.label("balance"),
            agreed.c.maximum,
            agreed.c.method_token,
            agreed.c.method_kind,
            agreed.c.last4,
        )
        .select_from(agreed)
        .join(account, sa.and_(account.c.period == period, same_account))
        .outerjoin(balance_due, due)
        .outerjoin(carried, carried.c.account_key == account.c.account_key)
        .outerjoin(told, told.c.account_key == account.c.account_key)
        .outerjoin(apart, apart.c.account_key == account.c.account_key)
        .outerjoin(plans, plans.c.account_key == account.c.account_key)
        .outerjoin(suspended_method, suspended_method.c.method_token == agreed.c.method_token)
        .where(~_has_payment(period, agreed, state != cancelled))
        .order_by(account.c.account_key)
    )


def was_undone(payment: sa.Table) -> sa.ColumnElement[bool]:
    """Claim that a payment went off the schedule with its close: the next one plans it anew."""
    return sa.func.coalesce(payment.c.error, "") == PERIOD_UNDONE


def to_situation(code: int, days_prior: int) -> Situation:
    """Read the number of a situation; raises IndexError for one that none has."""
    values: dict[str, Any] = {}
    for name, choices in CHOICES:
        code, at = divmod(code, len(choices))
        values[name] = choices[at]
    if code:
        raise IndexError("no situation has that number")
    return Situation(days_prior=days_prior, **values)


@dataclass(frozen=True, slots=True)
class _Facts:
    """
    What decides about a row of `agreed`, each fact as its place among its CHOICES.

    A suspended method is blocked of any kind.
    """

    agreed: sa.Subquery
    told: sa.Subquery
    balance: sa.ColumnElement[Any]
    due_on: sa.ColumnElement[Any]
    is_arranged: sa.ColumnElement[bool]
    today: sa.BindParameter[date]

    def places(
        self, is_held: sa.ColumnElement[Any], taken_off: sa.ColumnElement[bool]
    ) -> Iterator[sa.ColumnElement[int]]:
        of, agreed, balance = account.c, self.agreed.c, self.balance
        is_suspended = suspended_method.c.method_token.is_not(None)
        is_active = of.status == AccountStatus.ACTIVE
        places = {
            "status": _place(self._in_force("status"), STATUSES),
            "method_kind": _place(agreed.method_kind, KINDS),
            "pays_up_to_maximum": _place(agreed.pays_up_to_maximum, CHOSEN),
            "is_owed": _flag(balance > NOTHING),
            "is_above_maximum": _flag(balance > agreed.maximum),
            "is_maximum_owed": _flag(agreed.maximum > NOTHING),
            "pays_equal_amount": _flag(sa.and_(is_active, of.equal_pay_amount.is_not(None))),
            "direct_pay": _flag(self._in_force("direct_pay")),
            "block_ach": _flag(sa.or_(self._in_force("block_ach"), is_suspended)),
            "block_card": _flag(sa.or_(self._in_force("block_card"), is_suspended)),
            "is_held": _flag(sa.func.coalesce(is_held, 0) == 1),
            "is_after_due": _flag(
                sa.and_(agreed.enrolled_on > self.due_on, agreed.enrolled_on > self.today)
            ),
            "already_processed": _flag(taken_off),
            "is_arranged": _flag(self.is_arranged),
        }
        return (places[name] for name, _ in CHOICES)

    def _in_force(self, name: str) -> sa.ColumnElement[Any]:
        exported = account.c[name]
        return sa.func.coalesce(self.told.c[name], exported, type_=exported.type)


STATUSES, KINDS, CHOSEN = tuple(AccountStatus), (None, *MethodKind), (None, False, True)
CHOICES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("status", STATUSES),
    ("method_kind", KINDS),
    ("pays_up_to_maximum", CHOSEN),
    *(
        (name, FLAG)
        for name in (
            "is_owed", "is_above_maximum", "is_maximum_owed", "pays_equal_amount", "direct_pay",
            "block_ach", "block_card", "is_held", "is_after_due", "already_processed",
            "is_arranged",
        )
    ),
)  # fmt: skip


def _code(places: Iterator[sa.ColumnElement[int]]) -> sa.ColumnElement[int]:
    """Put the places of all facts into one number, as the digits of numbers are."""
    weights = accumulate((len(choices) for _, choices in CHOICES), mul, initial=1)
    first, *others = (place * weight for place, weight in zip(places, weights, strict=False))
    return sum(others, first)


def _place(column: sa.ColumnElement[Any], choices: tuple[Any, ...]) -> sa.ColumnElement[int]:
    """Return the place of a column's value; NULL, where it is one of them, is the first."""
    known = [(column == value, at) for at, value in enumerate(choices) if value is not None]
    return sa.case(*known, else_=0)


def _flag(claim: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((claim, 1), else_=0)


def _has_payment(
    period: sa.BindParameter[str], agreed: sa.Subquery, condition: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    rows = scheduled_payment.c
    return sa.exists().where(
        rows.period == period, rows.account_key == agreed.c.account_key, condition
    )


READ = (
    "account", "mandate", "payment_method", "enrollment", "enrollment_end", "balance_due",
    "gateway_payment", "outsorted_bill", "suspended_method", "arrangement",
    "arrangement_installment",
)  # fmt: skip
_OWN = sa.MetaData()  # of one connection, for as long as it plans
_ENROLLED = sa.Table(
    "enrolled",
    _OWN,
    sa.Column("account_key", sa.String(64)),
    sa.Column("account", sa.String(64)),
    sa.Column("code", sa.Integer),
    sa.Column("days_prior", sa.Integer),
    sa.Column("due_on", sa.Date),  # the period's, or its own of a bill that was released
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
    sa.Column("due_on", sa.Date),
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
    period: str,
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
        found = _ENROLLED.insert().from_select(columns, enrollments())
        books.execute(found, {"run": period, "today": today})
        _count_anew(books, _ENROLLED.name)
        _decide(books, today, closed, policy)
        books.execute(planned_payment.delete().where(planned_payment.c.period == period))
        _record(books, period)
        return _count(books, period)


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


def _decide(books: Connection, today: date, closed: Container[date], policy: AutopayPolicy) -> None:
    one = _ENROLLED.c
    found = books.execute(sa.select(one.code, one.days_prior, one.due_on).distinct()).all()
    rows = []
    for code, days_prior, due_on in found:
        situation = to_situation(code, days_prior)
        decided = decide(situation, due_on=due_on, today=today, closed=closed, policy=policy)
        rows.append(_as_row(code, days_prior, due_on, decided))
    if rows:
        books.execute(_DECIDED.insert(), rows)


def _as_row(code: int, days_prior: int, due_on: date, decided: DrawPlan) -> dict[str, Any]:
    return {
        "code": code,
        "days_prior": days_prior,
        "due_on": due_on,
        "unscheduled": decided.reason,
        "pay_on": decided.pay_on,
        "immediate": decided.immediate,
        "draws_maximum": decided.draws_maximum,
    }


def _record(books: Connection, period: str) -> None:
    """Give every account the decision of its situation."""
    one, by = _ENROLLED.c, _DECIDED.c
    amount = sa.case((by.draws_maximum, one.maximum), else_=one.balance)
    rows = (
        sa.select(
            sa.literal(period), one.account_key, one.account, amount, by.pay_on, by.immediate,
            by.unscheduled, one.method_token, one.method_kind, one.last4,
        )
        .join(
            _DECIDED,
            sa.and_(
                by.code == one.code, by.days_prior == one.days_prior, by.due_on == one.due_on
            ),
        )
        .order_by(one.account_key)
    )  # fmt: skip
    names = [
        "period", "account_key", "account", "amount", "pay_on", "immediate", "unscheduled",
        "method_token", "method_kind", "last4",
    ]  # fmt: skip
    books.execute(planned_payment.insert().from_select(names, rows))


def _count(books: Connection, period: str) -> ScheduleCounts:
    plans = planned_payment.c
    is_drawn = plans.unscheduled.is_(None)
    row = books.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(is_drawn),
            sa.func.count().filter(is_drawn, plans.immediate),
            sa.func.sum(plans.amount).filter(is_drawn),
        ).where(plans.period == period)
    ).one()
    everybody, scheduled, immediate, amount = row
    return ScheduleCounts(scheduled, immediate, everybody - scheduled, amount or ZERO)
