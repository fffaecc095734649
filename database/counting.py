"""Counting rows by what stands in a column."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def count_by(books: Connection, column: sa.Column[Any], *where: Any) -> dict[str, int]:
    """
    Return how many rows hold each value, as text and in its order.

    The cast keeps SQLite from walking an index of that column through every period's rows.
    """
    value = sa.cast(column, sa.String)
    rows = books.execute(sa.select(value, sa.func.count()).where(*where).group_by(value))
    return {str(value): count for value, count in sorted(rows, key=lambda row: str(row[0]))}
