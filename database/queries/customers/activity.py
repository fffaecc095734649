"""What happened in one portal user's portal: activity, and the payments that they made."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import checkout, checkout_line
from database.definitions.identity import activity
from database.tables import balance_due
from domain.checkout import CheckoutState

PAYMENT_MADE = "payment made"


def kinds_of(books: Connection, user: int) -> list[str]:
    """Return the kinds of activity that a log has, by name (rule 168)."""
    rows = _all_of(user).subquery()
    return list(books.scalars(sa.select(rows.c.kind).distinct().order_by(rows.c.kind)))


def activities_of(user: int, kinds: Collection[str]) -> sa.Select[Any]:
    """
    Select what happened in a portal, of some kinds, newest first (rules 166-168).

    `account` is written as the office writes it, `amount` is what a line of a payment was of, NULL
    for all else. Nothing is purged (ruling 10).
    """
    rows = _all_of(user).subquery()
    query = sa.select(rows).where(rows.c.kind.in_(kinds))
    return query.order_by(rows.c.at.desc(), rows.c.number.desc(), rows.c.detail)


def _all_of(user: int) -> sa.CompoundSelect[Any]:
    own, paid, line = activity.c, checkout.c, checkout_line.c
    billed = sa.select(balance_due.c.account).where(balance_due.c.account_key == own.account_key)
    acts = sa.select(
        own.at,
        own.kind,
        sa.func.coalesce(billed.scalar_subquery(), own.account_key).label("account"),
        own.detail,
        own.by,
        own.number,
        sa.cast(sa.null(), line.amount.type).label("amount"),
    ).where(own.user_number == user)
    payments = (
        sa.select(
            paid.submitted_at.label("at"),
            sa.literal(PAYMENT_MADE).label("kind"),
            line.account,
            line.distribution.label("detail"),
            sa.literal("the customer").label("by"),
            sa.literal(0).label("number"),
            line.amount,
        )
        .join_from(checkout, checkout_line, paid.key == line.checkout)
        .where(paid.user_number == user, paid.state == CheckoutState.SUBMITTED)
    )
    return acts.union_all(payments)
