"""Counting rows of a run in the books."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from domain.money import ZERO, Money


def count(books: Connection, table: sa.Table, run: str, *also: Any) -> int:
    return int(
        books.execute(
            sa.select(sa.func.count()).select_from(table).where(table.c.run == run, *also)
        ).scalar_one()
    )


def total(books: Connection, column: sa.ColumnElement[Any], *where: Any) -> Money:
    total: Money | None = books.execute(sa.select(sa.func.sum(column)).where(*where)).scalar_one()
    return total or ZERO
