"""An office without settings from the environment of whoever runs the tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from database.books import Database
from office.settings.settings import FILE


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("BILLCLOSE_") and not name.startswith("BILLCLOSE_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def empty_books(empty_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """Books without a row, for a test to which it is all the same where they are kept."""
    shutil.copy(empty_sqlite, tmp_path / "empty.db")
    books = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    yield books
    books.close()


@pytest.fixture
def home(tmp_path: Path) -> Callable[[str], Path]:
    """A home with the settings given to it as text."""

    def write(text: str = "") -> Path:
        (tmp_path / FILE).write_text(text)
        return tmp_path

    return write
