"""A period, and an account in it, looked up by what somebody typed."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.corrections import once_closed
from database.tables import account, bill_run, period_close
from domain.accounts import account_key
from domain.failures import Misuse

MOST_NAMED = 3


def require_period(books: Connection, period: str, *, lock: bool = False) -> Any:
    """
    Return the row of a period, locked where its state must not move meanwhile.

    Raises Misuse (`unknown-period`) where no export of it was imported, with what was meant.
    """
    query = sa.select(bill_run).where(bill_run.c.period == period)
    row = books.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise unknown_period(books, period)
    return row


def require_account(books: Connection, period: str, number: str) -> Any:
    """Return an account as a period has it; raises Misuse (`unknown-account`)."""
    rows = account.c
    query = sa.select(account).where(rows.period == period, rows.account_key == account_key(number))
    row = books.execute(query).one_or_none()
    if row is None:
        raise Misuse(
            f"Period {period} has no account {number}; `billclose find TEXT` looks for it.",
            "unknown-account",
        )
    return row


def is_period_closed(books: Connection, period: str) -> bool:
    """Tell whether a period's close stands."""
    query = sa.select(period_close.c.period).where(period_close.c.period == period)
    return books.execute(query).first() is not None


def unknown_period(books: Connection, period: str) -> Misuse:
    """Return what is said of a period that nobody imported: what was meant, or which there are."""
    rows = bill_run.c
    newest = list(books.scalars(sa.select(rows.period).order_by(rows.ends_on.desc(), rows.period)))
    near = get_close_matches(period, newest, n=1, cutoff=0.8)
    if near:
        hint = f"did you mean {near[0]}?"
    elif newest:
        hint = f"the newest in the books: {', '.join(newest[:MOST_NAMED])}."
    else:
        hint = "run `billclose import BUNDLE` first."
    return Misuse(f"No export of period {period} has been imported; {hint}", "unknown-period")


def newest_first() -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """
    Order periods from the newest.

    Two may end on one day and have an account both, as a cycle and final bills of its days do: then
    every reader takes the same one, that of the greater name.
    """
    return bill_run.c.ends_on.desc(), bill_run.c.period.desc()


def newest_exported_account(books: Connection, key: str) -> Any:
    """
    Return an account as its newest export has it, closed or not and held or not; else None.

    What customers see is `database.queries.portal.accounts.newest_account`.
    """
    return books.execute(_newest(sa.select(account), key)).one_or_none()


def newest_once_closed(key: str) -> sa.Select[Any]:
    """Select an account's newest period that was closed, though that may have been taken back."""
    periods = sa.select(account.c.period)
    return _newest(periods.join(once_closed, once_closed.c.period == account.c.period), key)


def _newest(of_account: sa.Select[Any], key: str) -> sa.Select[Any]:
    return (
        of_account.join(bill_run, bill_run.c.period == account.c.period)
        .where(account.c.account_key == key)
        .order_by(*newest_first())
        .limit(1)
    )
