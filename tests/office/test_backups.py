"""A backup goes back into an empty home, or it is refused and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from database.books import Database
from database.migrating import NEWEST, migrate
from domain.failures import Misuse
from office.procedures import backup
from office.settings.close import DatabaseSettings
from tests.office.health_builders import an_office_at

MADE_AT = datetime(2026, 11, 3, 16, tzinfo=UTC)


@pytest.fixture
def office(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    books = Database(f"sqlite:///{home / 'billclose.db'}")
    migrate(books)
    made = an_office_at(home, books, "2026-11-03T09:00")
    yield replace(made, settings=made.settings.model_copy(update={"database": DatabaseSettings()}))
    books.close()


def test_what_was_backed_up_by_this_program_is_restored(tmp_path, office):
    made = tmp_path / "backup.tar.gz"
    backup.back_up(office, made, MADE_AT)

    manifest = backup.restore(made, tmp_path / "new")

    assert NEWEST == manifest["schema"]
    assert (tmp_path / "new" / "billclose.db").is_file()


@pytest.mark.parametrize("schema", ["1.00000000", "1.ffffffff", None])
def test_a_backup_of_other_tables_is_refused_and_leaves_nothing(
    tmp_path, office, monkeypatch, schema
):
    made = tmp_path / "backup.tar.gz"
    monkeypatch.setattr(backup, "revision_of", lambda _database: schema)
    backup.back_up(office, made, MADE_AT)

    with pytest.raises(Misuse, match=f"schema {schema}; this one has schema {NEWEST}"):
        backup.restore(made, tmp_path / "new")

    assert ["backup.tar.gz", "home"] == sorted(
        one.name for one in tmp_path.iterdir() if one.is_dir() or one.suffix == ".gz"
    )
