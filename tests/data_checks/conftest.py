"""Books that hold the clean run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from database.books import Database
from tests.conftest import POSTGRES, fresh_postgres
from tests.data_checks.clean_run import fill


@pytest.fixture
def books(database: Database) -> Database:
    """Books of the test's own."""
    with database.writing() as connection:
        fill(connection)
    return database


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def clean_books(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Database]:
    """Books for all tests: each changes them in a transaction that it takes back."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("clean") / "books.db"
        shutil.copy(request.getfixturevalue("empty_sqlite"), path)
        yield from _filled(f"sqlite:///{path}")
        return
    template = request.getfixturevalue("empty_postgres")
    with fresh_postgres(os.environ[POSTGRES], template) as url:
        yield from _filled(url)


def _filled(url: str) -> Iterator[Database]:
    database = Database(url)
    with database.writing() as connection:
        fill(connection)
    yield database
    database.close()
