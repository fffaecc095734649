"""Corrections that stand: what a closed bill asks for since it was made anew."""

from __future__ import annotations

import sqlalchemy as sa

from database.definitions.corrections import correction
from database.queries.outsorted import due_on_of
from database.tables import account, bill_run

_ROWS = correction.c


def standing_corrections(name: str = "corrected") -> sa.Subquery:
    """Select the newest correction of each bill; those of a close that was taken back are none."""
    later = correction.alias("later")
    return (
        sa.select(
            _ROWS.period,
            _ROWS.account_key,
            _ROWS.form,
            _ROWS.amount_due,
            _ROWS.due_on,
            _ROWS.closing_balance,
        )
        .where(
            _ROWS.undone.is_(None),
            ~sa.exists().where(
                later.c.period == _ROWS.period,
                later.c.account_key == _ROWS.account_key,
                later.c.number > _ROWS.number,
                later.c.undone.is_(None),
            ),
        )
        .subquery(name)
    )


def is_of_account(corrected: sa.Subquery, of: sa.FromClause = account) -> sa.ColumnElement[bool]:
    """Claim that a correction is of an account in the period of its row."""
    return sa.and_(corrected.c.period == of.c.period, corrected.c.account_key == of.c.account_key)


def amount_due_in_force(corrected: sa.Subquery) -> sa.ColumnElement[object]:
    """Give what an account's bill asks for: as corrected, else as it was closed."""
    amount = account.c.amount_due
    return sa.func.coalesce(corrected.c.amount_due, amount, type_=amount.type)


def due_on_in_force(
    corrected: sa.Subquery, period: sa.ColumnElement[str], account_key: sa.ColumnElement[str]
) -> sa.ColumnElement[object]:
    """Give the due date of an account's bill: as corrected or released, else the period's."""
    own = due_on_of(period, account_key, bill_run.c.due_on)
    return sa.func.coalesce(corrected.c.due_on, own, type_=sa.Date())
