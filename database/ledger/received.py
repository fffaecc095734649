"""On which days money came that counts over a bill."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.ledger.matching import is_outstanding
from database.ledger.tables import balance_entry
from domain.ledger import EntryKind


def received_on(
    account_key: sa.ColumnElement[str], sure_until: sa.ColumnElement[Any]
) -> tuple[sa.ScalarSelect[Any], sa.ScalarSelect[Any]]:
    """
    Give the first and the last local day of an account's payments that no bill has yet.

    `sure_until` is what the export of its newest bill surely knew.
    """
    entry = balance_entry.c
    mine = (
        entry.account_key == account_key,
        entry.kind == EntryKind.PAYMENT,
        entry.counts,
        is_outstanding(sure_until),
    )
    first, last = sa.func.min(entry.happened_on), sa.func.max(entry.happened_on)
    return (
        sa.select(first).where(*mine).scalar_subquery(),
        sa.select(last).where(*mine).scalar_subquery(),
    )
