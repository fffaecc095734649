"""What a payment method is bound to: the autopay of accounts, and payments not drawn yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.queries.mandates import mandates_in_force
from database.tables import account, bill_run, enrollment, mandate, scheduled_payment
from domain.payments import PaymentState
from domain.runs import RunState

# Scheduled, or asked for and not answered yet: the method is still needed.
OPEN_PAYMENTS = (PaymentState.SCHEDULED, PaymentState.SUBMITTED, PaymentState.UNKNOWN)


def accounts_bound_to(books: Connection, token: str) -> list[str]:
    """Return the numbers of the accounts whose autopay, or open payment, needs a method."""
    given, exported = enrollment.c, mandate.c
    candidates = set(
        books.scalars(
            sa.select(given.account_key).where(
                given.method_token == token, given.cancelled_at.is_(None)
            )
        )
    ) | set(
        books.scalars(
            sa.select(exported.account_key)
            .distinct()
            .where(exported.method_token == token, exported.active)
        )
    )
    bound = {number for key in candidates for number in _in_force(books, key, token)}
    paid = scheduled_payment.c
    waiting = sa.select(paid.account).where(
        paid.method_token == token, paid.state.in_(OPEN_PAYMENTS)
    )
    return sorted(bound | set(books.scalars(waiting)))


def newest_runs(books: Connection, keys: Iterable[str] = ()) -> dict[str, str]:
    """Return the run of the newest export that was not refused and knows each account."""
    query = _NEWEST.where(account.c.account_key.in_(list(keys)))
    return {row.account_key: row.period for row in books.execute(query)}


def lock_runs(books: Connection) -> None:
    """
    Let nobody enroll, cancel, schedule or close meanwhile.

    Runs are locked first and in order, as by whoever enrolls: a method cannot go away under an
    autopay that is just being set up.
    """
    rows = bill_run.c
    query = sa.select(rows.period).where(rows.state != RunState.REFUSED).order_by(rows.period)
    books.execute(query.with_for_update())


def _in_force(books: Connection, key: str, token: str) -> list[str]:
    period = newest_runs(books, [key]).get(key)
    if period is None:
        return []
    agreed = mandates_in_force(period, key)
    query = (
        sa.select(account.c.account)
        .join(agreed, agreed.c.account_key == account.c.account_key)
        .where(account.c.period == period, agreed.c.method_token == token)
    )
    return list(books.scalars(query))


_NEWEST: sa.Select[Any] = (
    sa.select(account.c.account_key, bill_run.c.period)
    .join(bill_run, bill_run.c.period == account.c.period)
    .where(bill_run.c.state != RunState.REFUSED)
    .order_by(account.c.account_key, bill_run.c.ends_on)  # the newest is read last, and stays
)
