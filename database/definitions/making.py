"""How every table of the books is made: names of its parts, whole amounts, one-of-many indexes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.types import Cents

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def make_table(name: str, *parts: Any, **options: Any) -> sa.Table:
    """Make a table whose amounts SQLite holds to integers too (it would take '12.34')."""
    amounts = [
        part for part in parts if isinstance(part, sa.Column) and isinstance(part.type, Cents)
    ]
    whole = [
        sa.CheckConstraint(
            f"{amount.name} IS NULL OR typeof({amount.name}) = 'integer'",
            name=f"{amount.name}_whole",
        ).ddl_if(dialect="sqlite")
        for amount in amounts
    ]
    return sa.Table(name, metadata, *parts, *whole, **options)


def one_where(name: str, columns: str | tuple[str, ...], condition: str) -> sa.Index:
    """Make an index by which values stand once among the rows of which a condition holds."""
    return index_where(name, columns, condition, unique=True)


def index_where(
    name: str, columns: str | tuple[str, ...], condition: str, *, unique: bool = False
) -> sa.Index:
    """
    Make an index of the rows of which a condition holds.

    It is told the condition when it is created: who tells it here loads PostgreSQL's dialect.
    """
    named = (columns,) if isinstance(columns, str) else columns
    index = sa.Index(name, *named, unique=unique)

    @sa.event.listens_for(index, "before_create")
    def restrict(_index: sa.Index, connection: sa.Connection, **_options: Any) -> None:
        index.dialect_options[connection.dialect.name]["where"] = sa.text(condition)

    return index
