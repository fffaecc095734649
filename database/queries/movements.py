"""Every movement on an account, of exports and of the ledger, as one list."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.ledger.tables import balance_entry
from database.tables import balance_due, bill_run, movement
from domain.ledger import ContainedBy


def movements() -> sa.Select[Any]:
    """
    Select what moved on accounts: the lines of exports, and entries that no export has yet.

    An entry that an export has stands as that export's line; one that moved on an equal-pay account
    before its close is in no line yet, and stands here until the next bill. `in_balance_due` no:
    shown, and nothing is owed for it (rule 39).
    """
    both = sa.union_all(_of_exports(), _outstanding()).subquery("movements")
    return sa.select(both)


def _of_exports() -> sa.Select[Any]:
    rows = movement.c
    return sa.select(
        rows.account,
        rows.posted_on.label("date"),
        sa.cast(rows.kind, sa.String).label("type"),
        rows.amount,
        rows.service,
        rows.description,
        rows.reference,
        sa.literal("export").label("source"),
        rows.period.label("period"),
        sa.literal("yes").label("in_balance_due"),
        sa.cast(rows.line, sa.String).label("id"),
        rows.account_key.label("_account_key"),
    ).join(bill_run, bill_run.c.period == rows.period)


def _outstanding() -> sa.Select[Any]:
    rows = balance_entry.c
    is_outstanding = rows.in_export_of.is_(None)
    is_asked_all_the_same = sa.and_(
        rows.how == ContainedBy.AGREED, rows.in_export_of == balance_due.c.period
    )
    return (
        sa.select(
            sa.func.coalesce(balance_due.c.account, rows.account_key).label("account"),
            rows.happened_on.label("date"),
            sa.cast(rows.kind, sa.String).label("type"),
            rows.amount,
            sa.literal("").label("service"),
            sa.literal("").label("description"),
            sa.func.coalesce(rows.reference, "").label("reference"),
            sa.cast(rows.source, sa.String).label("source"),
            balance_due.c.period.label("period"),
            sa.case((rows.counts & is_outstanding, "yes"), else_="no").label("in_balance_due"),
            rows.key.label("id"),
            rows.account_key.label("_account_key"),
        )
        .outerjoin(balance_due, balance_due.c.account_key == rows.account_key)
        .where(is_outstanding | is_asked_all_the_same)
    )
