"""Books that are kept from test to test on PostgreSQL: emptied, not made anew each time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from database.books import Database
from database.tables import metadata
from tests.builders import empty
from tests.conftest import POSTGRES, _fresh_postgres


@pytest.fixture(scope="session")
def kept_postgres(empty_postgres: str) -> Iterator[str]:
    with _fresh_postgres(os.environ[POSTGRES], empty_postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path) -> Iterator[Database]:
    """Empty books on each kind of database; making one takes PostgreSQL a fifth of a second."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "books.db")
        books = Database(f"sqlite:///{tmp_path / 'books.db'}")
    else:
        books = Database(request.getfixturevalue("kept_postgres"))
        _empty(books)
    yield books
    books.close()


def _empty(books: Database) -> None:
    """Take out what the last test left, or make the tables again that it dropped or migrated."""
    tables = set(sa.inspect(books.engine).get_table_names())
    if tables == set(metadata.tables):
        empty(books)
        return
    with books.writing() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
        metadata.drop_all(connection)
        metadata.create_all(connection)
