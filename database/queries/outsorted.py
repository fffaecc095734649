"""Which bills are held back, and the due date that a bill got when it was released."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import account, bill_run, outsorted_bill, period_close
from domain.accounts import AccountStatus

_HELD = outsorted_bill.c
_HELD_BILL = outsorted_bill.alias("held_bill").c  # to make it anew for each row's question is slow
CODE = "bill-outsorted"


def is_outsorted(
    period: sa.ColumnElement[str] | str, account_key: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Claim that an account's bill of a run is held back, by a person or by a waived check."""
    held = _HELD_BILL
    return sa.exists().where(
        held.period == period, held.account_key == account_key, held.released_at.is_(None)
    )


def outsorted_accounts(period: str) -> sa.Select[Any]:
    """Select the accounts whose bill of a run is held back."""
    return sa.select(_HELD.account_key).where(_HELD.period == period, _HELD.released_at.is_(None))


def has_outsorted_bill(account_key: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Claim that a bill of a closed period is held back on an account: it is not reminded."""
    held = outsorted_bill.alias("held_bill").c
    return sa.exists().where(
        held.account_key == account_key,
        held.released_at.is_(None),
        held.period.in_(sa.select(period_close.c.period)),
    )


def held_periods(books: Connection, account_key: str) -> list[str]:
    """Return the closed periods whose bill of an account is held back."""
    query = (
        sa.select(_HELD.period)
        .distinct()
        .where(
            _HELD.account_key == account_key,
            _HELD.released_at.is_(None),
            _HELD.period.in_(sa.select(period_close.c.period)),
        )
    )
    return list(books.scalars(query.order_by(_HELD.period)))


def due_on_of(
    period: sa.ColumnElement[str] | str, account_key: sa.ColumnElement[str], otherwise: Any
) -> sa.ColumnElement[Any]:
    """Give a bill's due date: the one that it got when it was released, else the period's own."""
    freed = outsorted_bill.alias("released_bill").c
    own = sa.select(sa.func.max(freed.due_on)).where(
        freed.period == period, freed.account_key == account_key
    )
    return sa.func.coalesce(own.scalar_subquery(), otherwise, type_=sa.Date())


def outsorted_once(period: str | sa.BindParameter[str]) -> sa.Subquery:
    """
    Select the accounts whose bill of a period was ever held back: few, so they are joined.

    `is_held`: 1 while it is, else 0; `due_on` is the due date that it got when it was released.
    """
    is_held = sa.case((_HELD.released_at.is_(None), 1), else_=0)
    return (
        sa.select(
            _HELD.account_key,
            sa.func.max(is_held).label("is_held"),
            sa.func.max(_HELD.due_on).label("due_on"),
        )
        .where(_HELD.period == period)
        .group_by(_HELD.account_key)
        .subquery("outsorted_once")
    )


def outsorted() -> sa.Select[Any]:
    """
    Select the bills that are held back now, as `list outsorted` shows them (contract 7).

    `check` names the waived check that holds the bill; without one a person does.
    """
    return (
        sa.select(
            _HELD.account,
            _HELD.period.label("period"),
            account.c.amount_due,
            _HELD.check_name.label("check"),
            _HELD.reason,
            _HELD.outsorted_at,
            _HELD.outsorted_by,
            period_close.c.period.is_not(None).label("closed"),
            _HELD.account_key.label("_account_key"),
        )
        .outerjoin(
            account,
            sa.and_(account.c.period == _HELD.period, account.c.account_key == _HELD.account_key),
        )
        .outerjoin(period_close, period_close.c.period == _HELD.period)
        .where(_HELD.released_at.is_(None))
    )


def held_back() -> sa.Select[Any]:
    """Select the held bills as `list exceptions` shows them, until they are released."""
    by = sa.case(
        (_HELD.check_name != "", sa.literal("held by the waived check ").concat(_HELD.check_name)),
        else_=sa.literal("held by ").concat(_HELD.outsorted_by),
    )
    followed = sa.case(
        (_is_followed(), "; a newer bill of the account asks for what it asks: release shows it"),
        else_="; release it with `billclose release`",
    )
    return sa.select(
        _HELD.account,
        sa.literal("outsort").label("stage"),
        sa.literal(CODE).label("code"),
        by.concat(": ").concat(_HELD.reason).concat(followed).label("message"),
        _HELD.period.label("period"),
        _HELD.account_key.label("_account_key"),
        sa.literal(0).label("_position"),
    ).where(_HELD.released_at.is_(None))


def _is_followed() -> sa.ColumnElement[bool]:
    """Claim that a later period of the account is closed: its bill holds the balance before."""
    own, later, billed = bill_run.alias("own"), bill_run.alias("later"), account.alias("billed")
    return sa.exists(
        sa.select(billed.c.period)
        .join(later, later.c.period == billed.c.period)
        .join(period_close, period_close.c.period == billed.c.period)
        .join(own, own.c.ends_on < later.c.ends_on)
        .where(
            own.c.period == _HELD.period,
            billed.c.account_key == _HELD.account_key,
            billed.c.status != AccountStatus.CLOSED,
        )
        .correlate(outsorted_bill)
    )
