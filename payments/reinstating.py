"""Lifting the suspension of a payment method: a person says that it may be drawn from again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from database.mandates import mandates_in_force
from database.tables import scheduled_payment, suspended_method
from domain.failures import Refused
from payments.enrolling_facts import Standing, lock_standing, read_standing
from payments.enrolling_words import say_method


@dataclass(frozen=True, slots=True)
class Reinstated:
    """A payment method that may be drawn from again, and why it was suspended."""

    account: str
    method: str  # its kind and last four digits
    why: str
    since: datetime
    others: tuple[str, ...]  # further accounts that it has paid for


def reinstate(
    database: Database, account: str, *, now: datetime, who: str, reason: str
) -> list[Reinstated]:
    """
    Let the suspended payment methods of an account be drawn from again; audited with the reason.

    For a person who knows that the cause is gone: the customer has signed anew (after R10 and its
    like Nacha asks for that), or the bank was wrong. What was cancelled stays so: the next period
    is drawn. Raises Misuse for an account that nobody knows, Refused (`not-suspended`) where
    nothing of it is suspended.
    """
    with database.writing() as books:
        lock_standing(books, account)
        standing = read_standing(books, account)
        rows = _suspended(books, standing)
        if not rows:
            raise Refused(
                "not-suspended",
                f"No payment method of account {standing.account} is suspended. "
                "Nothing was changed.",
            )
        return [_lift(books, standing, row, now, who, reason) for row in rows]


def _suspended(books: Connection, standing: Standing) -> list[Any]:
    """Return what the account pays with, or has paid with, and is suspended; each token once."""
    paid, agreed = scheduled_payment.c, mandates_in_force(standing.newest, standing.key).c
    columns = (paid.method_token, paid.method_kind, paid.last4)
    with_payments = sa.select(*columns).where(paid.account_key == standing.key)
    with_mandate = sa.select(agreed.method_token, agreed.method_kind, agreed.last4)
    used = with_payments.union(with_mandate).subquery()
    query = (
        sa.select(used, suspended_method.c.since, suspended_method.c.reason)
        .join(suspended_method, suspended_method.c.method_token == used.c.method_token)
        .order_by(suspended_method.c.since, used.c.method_token)
    )
    return list({row.method_token: row for row in books.execute(query)}.values())


def _lift(
    books: Connection, standing: Standing, row: Any, now: datetime, who: str, reason: str
) -> Reinstated:
    token, paid = row.method_token, scheduled_payment.c
    others = sa.select(paid.account).where(
        paid.method_token == token, paid.account_key != standing.key
    )
    found = Reinstated(
        standing.account,
        say_method(row.method_kind, row.last4),
        row.reason,
        row.since,
        tuple(books.scalars(others.distinct().order_by(paid.account))),
    )
    books.execute(suspended_method.delete().where(suspended_method.c.method_token == token))
    detail = f"{found.method}, suspended since {found.since:%Y-%m-%d} ({found.why}): {reason}"
    record_audit(books, now, who, "reinstate method", standing.account, detail)
    return found
