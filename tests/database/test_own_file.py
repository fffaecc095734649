"""A file that equipment has for itself: private, whole or not at all, and failures named."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing

import pytest

from database.books import Database
from database.own_file import OwnFile, waiting_for_others
from domain.failures import OutcomeUnknown, TemporaryFailure

TABLE = "CREATE TABLE IF NOT EXISTS entry (name TEXT NOT NULL UNIQUE)"


class Away(TemporaryFailure):
    """What this equipment calls it when its file cannot be used."""


@pytest.fixture
def file(tmp_path):
    with closing(OwnFile(tmp_path / "own.db", TABLE, name="the file", unusable=Away)) as opened:
        yield opened


def enter(books: sqlite3.Connection, name: str) -> None:
    books.execute("INSERT INTO entry VALUES (?)", (name,))


def names(file: OwnFile) -> list[str]:
    with file.writing() as books:
        return [row["name"] for row in books.execute("SELECT name FROM entry ORDER BY name")]


def test_what_was_written_stays_and_is_its_owners_alone(file, tmp_path):
    with file.writing() as books:
        enter(books, "anna")
    file.close()

    assert ["anna"] == names(file)
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("failure", "becomes"),
    [(ZeroDivisionError, ZeroDivisionError), (sqlite3.Error, OutcomeUnknown)],
)
def test_a_transaction_that_fails_leaves_nothing(file, failure, becomes):
    with pytest.raises(becomes), file.writing() as books:
        enter(books, "anna")
        raise failure

    assert [] == names(file)


def test_a_file_that_cannot_be_used_is_named_and_told_as_its_equipment_says(tmp_path):
    file = OwnFile(tmp_path / "nowhere" / "own.db", TABLE, name="the file", unusable=Away)

    with pytest.raises(Away, match="the file cannot be used: "), file.writing():
        pass


@pytest.fixture
def held(tmp_path):
    """A file that another connection has just made and holds for a while."""
    holder = sqlite3.connect(tmp_path / "own.db", isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE made_by_another (name TEXT)")
    holder.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, holder.execute, ["COMMIT"])
    release.start()
    yield tmp_path / "own.db"
    release.join()
    holder.close()


def test_a_file_that_another_process_is_making_is_waited_for(held):
    with closing(OwnFile(held, TABLE, name="the file")) as file:
        assert [] == names(file)


def test_books_that_another_process_is_making_are_waited_for(held):
    with closing(Database(f"sqlite:///{held}")) as books, books.reading() as reading:
        assert [] == reading.exec_driver_sql("SELECT * FROM made_by_another").all()


def test_what_is_wrong_with_a_file_is_not_waited_for():
    def asks_for_nonsense():
        tries.append("asked")
        return sqlite3.connect(":memory:").execute("SELECT nonsense")

    tries: list[str] = []
    with pytest.raises(sqlite3.OperationalError, match="nonsense"):
        waiting_for_others(asks_for_nonsense)

    assert ["asked"] == tries
