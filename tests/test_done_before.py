"""Books that are copied instead of made anew are the ones that would have been made."""

from __future__ import annotations

import shutil

import pytest

from database.books import Database
from tests import builders, done_before
from tests.builders import a_household, close_run, stage_run
from tests.done_before import is_unopened


@pytest.fixture
def opened(tmp_path, empty_sqlite):
    """Make books anew: `opened("first")`."""
    made = []

    def make(name: str) -> Database:
        file = tmp_path / f"{name}.db"
        shutil.copy(empty_sqlite, file)
        made.append(Database(f"sqlite:///{file}"))
        return made[-1]

    yield make
    for one in made:
        one.close()


def rows(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        return list(connection.connection.driver_connection.iterdump())


def _done_anew(*_arguments: object) -> None:
    raise AssertionError("done anew")


@pytest.mark.parametrize("before", [lambda _books: None, rows], ids=["unopened", "opened"])
def test_copied_books_are_the_ones_that_were_made(opened, monkeypatch, before):
    monkeypatch.setattr(done_before, "_done", done_before.OrderedDict())
    made, copied, other = opened("made"), opened("copied"), opened("other")
    stage_run(made, a_household())
    close_run(made)
    for work in ("_stage_run", "_close_run"):
        monkeypatch.setattr(builders, work, _done_anew)

    stage_run(copied, a_household())
    before(copied)
    close_run(copied)

    assert rows(made) == rows(copied)
    with pytest.raises(AssertionError, match="done anew"):
        stage_run(other, a_household(balance="1.00"))


def test_books_that_somebody_has_opened_are_not_written_over(opened):
    books = opened("books")
    beside = Database(books.url)
    assert is_unopened(books)

    with beside.writing():
        assert not is_unopened(books)
    with books.reading():
        pass

    assert not is_unopened(books)
    beside.close()
