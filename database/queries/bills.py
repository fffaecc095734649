"""What counts as a bill."""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import bill


def is_doubled() -> sa.Exists:
    """Make the claim that a bill's account has another one of that form: a person says which."""
    other = bill.alias("other")
    return sa.exists().where(
        other.c.period == bill.c.period,
        other.c.form == bill.c.form,
        other.c.account_key == bill.c.account_key,
        other.c.ordinal != bill.c.ordinal,
    )
