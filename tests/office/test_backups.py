"""A backup goes back into an empty home, or it is refused and leaves nothing behind."""

from __future__ import annotations

import tarfile
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


def test_a_folder_that_is_there_is_restored_into_and_stays_the_same_one(tmp_path, office):
    made = tmp_path / "backup.tar.gz"
    (office.home / "billclose.toml").touch()
    backup.back_up(office, made, MADE_AT)
    (tmp_path / "disk").mkdir()
    before = (tmp_path / "disk").stat().st_ino

    backup.restore(made, tmp_path / "disk")

    assert before == (tmp_path / "disk").stat().st_ino
    found = {one.name for one in (tmp_path / "disk").iterdir()}
    assert {"billclose.db", "billclose.toml"} <= found
    assert [] == [name for name in found if name.startswith(".")]


def test_it_is_restored_by_every_python_that_we_run_on(tmp_path, office, monkeypatch):
    """Python 3.11.2, which Debian 12 has, knows no filters."""

    def extract_all(_tar, path=".", members=None, *, numeric_owner=False):
        return as_it_is(_tar, path, members, numeric_owner=numeric_owner)

    def extract(_tar, member, path="", set_attrs=True, *, numeric_owner=False):
        return one_as_it_is(_tar, member, path, set_attrs, numeric_owner=numeric_owner)

    as_it_is, one_as_it_is = tarfile.TarFile.extractall, tarfile.TarFile.extract
    monkeypatch.setattr(tarfile.TarFile, "extractall", extract_all)
    monkeypatch.setattr(tarfile.TarFile, "extract", extract)
    made = tmp_path / "backup.tar.gz"
    backup.back_up(office, made, MADE_AT)

    assert NEWEST == backup.restore(made, tmp_path / "new")["schema"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside", tarfile.REGTYPE),
        ("home/../../outside", tarfile.REGTYPE),
        ("/tmp/outside", tarfile.REGTYPE),
        ("home/link", tarfile.SYMTYPE),
        ("home/link", tarfile.LNKTYPE),
        ("home/pipe", tarfile.FIFOTYPE),
    ],
)
def test_what_leads_out_of_the_home_is_no_backup(tmp_path, name, kind):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "forged.tar.gz", "w:gz") as tar:
        tar.addfile(member)

    with pytest.raises(Misuse, match="is damaged or no backup"):
        backup.restore(tmp_path / "forged.tar.gz", tmp_path / "new")

    assert ["forged.tar.gz"] == [one.name for one in tmp_path.iterdir()]


def test_a_folder_that_is_there_stays_empty_where_the_backup_is_none(tmp_path):
    (tmp_path / "disk").mkdir()

    with pytest.raises(Misuse, match="There is no backup"):
        backup.restore(tmp_path / "none", tmp_path / "disk")

    assert [] == [*(tmp_path / "disk").iterdir()]


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
