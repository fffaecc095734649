"""A home of an earlier release: `init` brings it up to date, and that is an act."""

from __future__ import annotations

import sqlalchemy as sa

from command_line.commands.init import prepare_home
from database.books import Database
from database.migrating import NEWEST, downgrade
from database.tables import audit


def acts(books: Database) -> list[tuple[str, str, str]]:
    with books.reading() as connection:
        query = sa.select(audit.c.action, audit.c.subject, audit.c.detail).order_by(audit.c.id)
        return [tuple(row) for row in connection.execute(query)]


def test_migrating_books_in_use_is_audited_making_and_keeping_them_is_not(tmp_path):
    prepare_home(tmp_path)
    prepare_home(tmp_path)
    books = Database(f"sqlite:///{tmp_path / 'billclose.db'}")
    nothing_yet = acts(books)
    downgrade(books, "0001")

    revision, is_new = prepare_home(tmp_path)

    assert ([], NEWEST, False) == (nothing_yet, revision, is_new)
    assert [("migrate database", "database", f"schema 0001 to {NEWEST}")] == acts(books)
    books.close()
