"""A home of an older billclose: refused, then brought up to date, after a backup of it."""

from __future__ import annotations

import shutil

import pytest

from database.migrating import NEWEST
from tests.database.carrying.older import BEFORE_BANKS_ASK, older_books
from tests.flows.desk import Desk


@pytest.fixture
def older(tmp_path) -> Desk:
    """An office whose books an older program made."""
    home = tmp_path / "office"
    home.mkdir()
    with older_books(BEFORE_BANKS_ASK, "sqlite", home):
        return Desk(home)


def test_older_books_are_refused_with_what_to_do(older):
    answers = [older("init"), older("status"), older("backup", "--to", older.home / "b.tar.gz")]

    assert [2, 2, 2] == [answer.status for answer in answers]
    for answer in answers:
        assert "run `billclose init --backup FILE`" in answer.err
    assert not (older.home / "b.tar.gz").exists()


def test_they_are_brought_up_to_date_after_a_backup(older, tmp_path):
    file = tmp_path / "before.tar.gz"

    answer = older("init", "--backup", file, "--json")

    assert (0, NEWEST, BEFORE_BANKS_ASK) == (
        answer.status,
        answer.json["schema"],
        answer.json["earlier"],
    )
    assert file.is_file()
    assert 0 == older("audit", "verify").status
    assert "upgrade" == older.rows("audit")[-1]["action"]
    assert 46 == len(older.rows("accounts"))


def test_what_that_backup_holds_is_restored_and_brought_up_to_date(older, tmp_path):
    file = tmp_path / "before.tar.gz"
    older("init", "--backup", file)
    copy = Desk(tmp_path / "copy")

    answer = copy("restore", "--from", file)

    assert 0 == answer.status, answer.err
    assert f"brought up to date from schema {BEFORE_BANKS_ASK}" in answer.out
    assert older.rows("accounts") == copy.rows("accounts")


def test_a_backup_is_never_written_over_and_then_nothing_is_changed(older, tmp_path):
    file = tmp_path / "before.tar.gz"
    file.write_bytes(b"another")

    answer = older("init", "--backup", file)

    assert (2, b"another") == (answer.status, file.read_bytes())
    assert 2 == older("status").status


def test_books_of_today_need_no_backup(tmp_path):
    desk, file = Desk(tmp_path / "office"), tmp_path / "before.tar.gz"
    desk("init")
    shutil.copy(desk.home / "billclose.db", tmp_path / "was.db")

    answer = desk("init", "--backup", file, "--json")

    assert (0, None, False) == (answer.status, answer.json["earlier"], file.exists())
