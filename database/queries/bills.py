"""What counts as a bill."""

from __future__ import annotations

import sqlalchemy as sa

from database.books import Database
from database.definitions.corrections import period_undo
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


def bill_folder(database: Database, period: str) -> str:
    """
    Return where the documents of a period's bills are filed, below the bill store.

    A close that was taken back leaves its documents where they are: people have seen them. The
    period's next bills have a folder of their own.
    """
    undone = (
        sa.select(sa.func.count()).select_from(period_undo).where(period_undo.c.period == period)
    )
    with database.reading() as books:
        number = books.execute(undone).scalar_one()
    return f"{period}.{number + 1}" if number else period
