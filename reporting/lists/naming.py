"""Customers' names beside their account numbers, where a clerk needs them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.account_changes import column_in_force
from database.tables import account, balance_due


def with_names(listed: sa.Select[Any]) -> sa.Select[Any]:
    """
    Add `name` after `account`: of the row's own period, else of the account's newest one.

    What the feed changed since that period's export was written stands in its place.

    What belongs to no account has none.
    """
    rows = listed.subquery("listed")
    period = sa.func.coalesce(sa.func.nullif(rows.c.period, ""), balance_due.c.period)
    columns: list[Any] = []
    for column in rows.c:
        columns.append(column)
        if column.name == "account":
            columns.append(sa.func.coalesce(column_in_force(account, "name"), "").label("name"))
    return (
        sa.select(*columns)
        .select_from(rows)
        .outerjoin(balance_due, balance_due.c.account_key == rows.c._account_key)
        .outerjoin(
            account,
            sa.and_(account.c.account_key == rows.c._account_key, account.c.period == period),
        )
    )
