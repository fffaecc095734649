"""What a payment arrangement puts off: the part of a balance that nobody asks for yet."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.arrangements import arrangement, arrangement_installment
from database.queries.balances import open_balance
from database.tables import balance_due
from database.types import Cents
from domain.arrangements import ArrangementState
from domain.money import ZERO, Money

_PLAN, _PART = arrangement.c, arrangement_installment.c
_NOTHING = sa.literal(ZERO, Cents())


def deferred(
    account_key: sa.ColumnElement[str], today: date | sa.BindParameter[date]
) -> sa.ColumnElement[Any]:
    """
    Give the sum of an account's installments that need not be paid yet on a local day.

    Their grace is not over. Only a plan in force puts anything off.
    """
    query = _put_off(today, sa.func.coalesce(sa.func.sum(_PART.amount, type_=Cents()), _NOTHING))
    return sa.type_coerce(query.where(_PLAN.account_key == account_key).scalar_subquery(), Cents())


def deferred_by_account(today: date | sa.BindParameter[date]) -> sa.Subquery:
    """Give `account_key` and `deferred` of every account with a plan that puts something off."""
    total = sa.func.sum(_PART.amount, type_=Cents()).label("deferred")
    return _put_off(today, _PLAN.account_key, total).group_by(_PLAN.account_key).subquery("put_off")


def due_now(today: date, of: sa.FromClause = balance_due) -> sa.ColumnElement[Any]:
    """
    Give what of a balance is to be paid now: the open balance less what a plan puts off.

    Zero and below: nothing is asked for. A bill that came after the plan is no part of it, and is
    asked for by itself.
    """
    return sa.type_coerce(open_balance(of) - deferred(of.c.account_key, today), Cents())


def has_plan(account_key: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Claim that an account has a plan in force."""
    return sa.exists().where(
        _PLAN.account_key == account_key, _PLAN.state == ArrangementState.IN_FORCE
    )


def read_deferred(books: Connection, account_key: str, today: date) -> Money:
    """Return what the plan of an account puts off on a local day; zero without one."""
    found: Money | None = books.scalar(sa.select(deferred(sa.literal(account_key), today)))
    return found or ZERO


def _put_off(
    today: date | sa.BindParameter[date], *columns: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """Select from the installments whose grace is not over, of plans in force."""
    return (
        sa.select(*columns)
        .select_from(arrangement_installment)
        .join(arrangement, _PLAN.number == _PART.arrangement)
        .where(_PLAN.state == ArrangementState.IN_FORCE, _PART.last_day >= today)
    )
