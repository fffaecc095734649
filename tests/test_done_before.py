"""Books that are copied instead of made anew are the ones that would have been made."""

from __future__ import annotations

import shutil
from contextlib import nullcontext

import pytest
import sqlalchemy as sa

from database.books import Database
from tests import builders, done_before
from tests.builders import a_household, close_run, stage_run
from tests.done_before import is_unopened
from tests.used_postgres import _GUARDED, COUNTERS, UsedPostgres


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


@pytest.fixture
def twice(used_postgres, monkeypatch) -> UsedPostgres:
    """Books on PostgreSQL that were closed, and are empty and staged as they were before that."""
    monkeypatch.setattr(done_before, "_done_there", done_before.OrderedDict())
    used_postgres.empty()
    stage_run(used_postgres.books(), a_household())
    close_run(used_postgres.books())
    monkeypatch.setattr(builders, "_close_run", _done_anew)
    return used_postgres


def test_books_copied_on_postgresql_are_the_ones_that_were_made(twice):
    made = twice.state()
    twice.empty()
    assert not twice.state().tables
    stage_run(twice.books(), a_household())

    published = close_run(twice.books())

    assert twice.state() == made and len(made.tables) > 5
    assert [published] == [outcome for _, outcome in done_before._done_there.values()]
    guarded = _GUARDED.intersection(made.tables)
    assert guarded
    for name in guarded:
        with pytest.raises(sa.exc.DBAPIError, match=name), twice.books().writing() as books:
            books.exec_driver_sql(f"DELETE FROM {name}")


def test_what_is_counted_on_postgresql_goes_on_where_it_was(used_postgres, monkeypatch):
    monkeypatch.setattr(done_before, "_done_there", done_before.OrderedDict())

    def count() -> int:
        with used_postgres.books().writing() as books:
            return [
                books.exec_driver_sql(f"SELECT nextval('{COUNTERS[0]}')").scalar_one()
                for _ in range(3)
            ][-1]

    for _ in range(2):
        used_postgres.empty()
        assert done_before.as_done_before(used_postgres.books(), "count", count) == 3
        assert count() == 6
    assert len(done_before._done_there) == 1


@pytest.mark.parametrize("what", ["other facts", "other counters", "other work", "in use"])
def test_other_books_on_postgresql_are_not_taken_for_them(twice, what):
    twice.empty()
    books = twice.books()
    stage_run(books, a_household(**{"balance": "1.00"} if what == "other facts" else {}))
    with books.writing() as writing:
        if what == "other counters":
            writing.exec_driver_sql(f"SELECT nextval('{COUNTERS[0]}')")
    other = "2026-09" if what == "other work" else builders.RUN

    busy = books.reading() if what == "in use" else nullcontext()
    with busy, pytest.raises(AssertionError, match="done anew"):
        close_run(books, other)
