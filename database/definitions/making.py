"""How every table of the books is made: names of its parts, whole amounts, indexes of ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.types import Cents

LOG = logging.getLogger(__name__)
TRIGRAMS = "trigrams"  # what the name of such an index ends with
EXTENSION = "pg_trgm"  # of PostgreSQL
_ITS_SCHEMA = sa.text("""
    SELECT quote_ident(n.nspname) FROM pg_extension e
    JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = :name
""")
_IS_THERE = sa.text("SELECT 1 FROM pg_available_extensions WHERE name = :name")

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


def trigram_index(table: str, *columns: str) -> sa.Index:
    """
    Make an index by which PostgreSQL finds any part of a text, of three letters or digits at least.

    It needs the extension pg_trgm, which the database's owner may make. Where it is missing or
    refused there is no such index: the same is found, by reading every text. SQLite has none.
    """
    index = sa.Index(f"ix_{table}_{TRIGRAMS}", *columns)
    index.ddl_if(dialect="postgresql", callable_=cast(Any, _knows_trigrams))

    @sa.event.listens_for(index, "before_create")
    def tell(_index: sa.Index, connection: Connection, **_options: Any) -> None:
        if connection.dialect.name != "postgresql":
            return
        _make_extension(connection)
        place = _place_of_extension(connection)
        options = index.dialect_options["postgresql"]
        options["using"] = "gin"
        options["ops"] = dict.fromkeys(columns, f"{place}.gin_trgm_ops")

    return index


def make_missing_trigrams(connection: Connection) -> None:
    """Make the indexes of trigrams that are not there, where the extension has come since."""
    if connection.dialect.name == "postgresql":
        for index in _trigram_indexes():
            index.create(connection, checkfirst=True)


def lacks_trigrams(connection: Connection) -> bool:
    """Tell whether this is PostgreSQL and has to read every text to find a part of one."""
    if connection.dialect.name != "postgresql":
        return False
    there = sa.inspect(connection)
    return any(
        index.name not in {found["name"] for found in there.get_indexes(index.table.name)}
        for index in _trigram_indexes()
        if index.table is not None
    )


def _trigram_indexes() -> Iterator[sa.Index]:
    for table in metadata.sorted_tables:
        yield from (index for index in table.indexes if str(index.name).endswith(TRIGRAMS))


def _knows_trigrams(
    _statement: Any, _index: Any, connection: Connection | None, **_options: Any
) -> bool:
    return connection is not None and _place_of_extension(connection) is not None


def _make_extension(connection: Connection) -> None:
    """Make the extension, if the server has it and lets this user do so."""
    if _place_of_extension(connection) is not None:
        return
    if connection.scalar(_IS_THERE, {"name": EXTENSION}) is None:
        return
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"CREATE EXTENSION {EXTENSION}")
    except sa.exc.DBAPIError as refusal:
        if refusal.connection_invalidated:
            raise
        LOG.info("pg_trgm cannot be made: %s", type(refusal.orig).__name__)


def _place_of_extension(connection: Connection) -> str | None:
    place: str | None = connection.scalar(_ITS_SCHEMA, {"name": EXTENSION})
    return place
