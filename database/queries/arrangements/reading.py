"""Payment arrangements and what was paid of them, by the ledger and the exports."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.arrangements import arrangement, arrangement_installment
from database.ledger.tables import balance_entry
from database.queries.balances import read_open_balance
from database.tables import bill_run, movement, period_close
from database.types import Cents
from domain.arrangements import STANDING, Arrangement, Installment
from domain.ledger import MONEY_KINDS, EntryKind
from domain.money import ZERO, Money
from domain.movements import MovementKind

_PLAN, _PART, _ENTRY = arrangement.c, arrangement_installment.c, balance_entry.c
_NAMES = (
    "number", "account_key", "account", "period", "timezone", "state", "reason", "made_at",
    "made_by", "by_customer", "approved_by", "in_force_at", "ended_at",
    "ended_by", "end_reason", "paid_at_end",
)  # fmt: skip


def read_plans(books: Connection, *conditions: sa.ColumnElement[bool]) -> list[Arrangement]:
    """Return plans with their installments, the oldest first."""
    query = sa.select(*(_PLAN[name] for name in _NAMES)).where(*conditions)
    rows = books.execute(query.order_by(_PLAN.number)).all()
    parts: dict[int, list[Installment]] = {row.number: [] for row in rows}
    listed = (
        sa.select(_PART.arrangement, _PART.due_on, _PART.amount, _PART.last_day)
        .join(arrangement, _PLAN.number == _PART.arrangement)
        .where(*conditions)
        .order_by(_PART.arrangement, _PART.number)
    )
    for number, due_on, amount, last_day in books.execute(listed):
        if number in parts:
            parts[number].append(Installment(due_on, amount, last_day))
    return [Arrangement(**row._mapping, installments=tuple(parts[row.number])) for row in rows]


def plan_of(books: Connection, account_key: str) -> Arrangement | None:
    """Return an account's plan that waits or is in force; None where it has none."""
    found = read_plans(books, _PLAN.account_key == account_key, _PLAN.state.in_(STANDING))
    return found[0] if found else None


def newest_plan(books: Connection, account_key: str) -> Arrangement | None:
    """Return the last plan of an account, in force or over."""
    newest = sa.select(sa.func.max(_PLAN.number)).where(_PLAN.account_key == account_key)
    found = read_plans(books, _PLAN.number == newest.scalar_subquery())
    return found[0] if found else None


def paid_since(books: Connection, plan: Arrangement) -> Money:
    """
    Return what was paid on an account since its plan was agreed, less what went back of it.

    Since: recorded after that moment, and not contained in the bill that the plan is about. What
    came back of a payment from before is owed besides. A payment that no feed told of comes with
    the next export: of each period that was closed since, as much counts as its payments are more
    than those of the ledger that it contains.
    """
    return _by_ledger(books, plan) + _by_exports(books, plan)


def _by_ledger(books: Connection, plan: Arrangement) -> Money:
    before = balance_entry.alias("before")
    was_paid_before = sa.exists().where(
        before.c.account_key == _ENTRY.account_key,
        before.c.payment_key == _ENTRY.payment_key,
        before.c.kind == EntryKind.PAYMENT,
        before.c.recorded_at <= plan.made_at,
    )
    base = sa.select(bill_run.c.sure_until).where(bill_run.c.period == plan.period)
    sure_until = base.scalar_subquery()
    query = sa.select(sa.func.sum(_ENTRY.amount, type_=Cents())).where(
        _ENTRY.account_key == plan.account_key,
        _ENTRY.kind.in_(MONEY_KINDS),
        _ENTRY.counts,
        _ENTRY.recorded_at > plan.made_at,
        sa.or_(_ENTRY.in_export_of.is_(None), _ENTRY.in_export_of != plan.period),
        sa.or_(_ENTRY.told_at.is_(None), sure_until.is_(None), _ENTRY.told_at > sure_until),
        ~was_paid_before,
    )
    return -(books.scalar(query) or ZERO)


def _by_exports(books: Connection, plan: Arrangement) -> Money:
    """Add up what the exports of later closes have and the ledger has not."""
    rows = movement.c
    query = (
        sa.select(rows.period, bill_run.c.sure_until, sa.func.sum(rows.amount, type_=Cents()))
        .join(period_close, period_close.c.period == rows.period)
        .join(bill_run, bill_run.c.period == rows.period)
        .where(
            rows.account_key == plan.account_key,
            rows.kind == MovementKind.PAYMENT,
            rows.period != plan.period,
            period_close.c.closed_at > plan.made_at,
        )
        .group_by(rows.period, bill_run.c.sure_until)
    )
    more = ZERO
    for period, sure_until, amount in books.execute(query).all():
        unknown = -amount - _contained(books, plan.account_key, period, sure_until)
        more += max(unknown, ZERO)
    return more


def _contained(books: Connection, account_key: str, period: str, sure_until: Any) -> Money:
    """Add up the money of the ledger that an export contains, marked so or not yet."""
    is_told = sa.and_(
        _ENTRY.in_export_of.is_(None), _ENTRY.told_at.is_not(None), _ENTRY.told_at <= sure_until
    )
    is_in = _ENTRY.in_export_of == period
    query = sa.select(sa.func.sum(_ENTRY.amount, type_=Cents())).where(
        _ENTRY.account_key == account_key,
        _ENTRY.kind.in_(MONEY_KINDS),
        _ENTRY.counts,
        is_in if sure_until is None else sa.or_(is_in, is_told),
    )
    return -(books.scalar(query) or ZERO)


def read_money(books: Connection, plan: Arrangement) -> tuple[Money, Money]:
    """Return what was paid since a plan, and what is open on its account now."""
    return paid_since(books, plan), read_open_balance(books, plan.account_key)


def arrangements() -> sa.Select[Any]:
    """Select the plans as `list arrangements` shows them; what is paid `arrange` and `why` tell."""
    parts = (
        sa.select(
            _PART.arrangement,
            sa.func.count().label("installments"),
            sa.func.sum(_PART.amount, type_=Cents()).label("amount"),
            sa.func.min(_PART.due_on).label("first"),
            sa.func.max(_PART.due_on).label("last"),
        )
        .group_by(_PART.arrangement)
        .subquery("parts")
    )
    return sa.select(
        _PLAN.number,
        _PLAN.account,
        _PLAN.period,
        _PLAN.state,
        parts.c.amount,
        parts.c.installments,
        parts.c.first,
        parts.c.last,
        _PLAN.reason,
        _PLAN.made_at,
        _PLAN.made_by,
        _PLAN.approved_by,
        _PLAN.ended_at,
        _PLAN.ended_by,
        _PLAN.end_reason,
        _PLAN.account_key.label("_account_key"),
    ).join(parts, parts.c.arrangement == _PLAN.number)
