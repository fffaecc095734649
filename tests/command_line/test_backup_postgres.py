"""A backup of an office whose books are in PostgreSQL: dumped, and restored into an empty one."""

from __future__ import annotations

import os

import pytest

from tests.conftest import POSTGRES, fresh_postgres
from tests.flows.desk import AS_OF, Desk


@pytest.fixture
def two_databases(empty_postgres):
    """The URLs of two databases without any table."""
    url = os.environ[POSTGRES]
    with fresh_postgres(url, "template0") as one, fresh_postgres(url, "template0") as two:
        yield one, two


def test_books_in_postgresql_are_dumped_and_restored(two_databases, town, tmp_path):
    first, second = two_databases
    before = Desk(tmp_path / "office", {"BILLCLOSE_DATABASE__URL": first})
    after = Desk(tmp_path / "new", {"BILLCLOSE_DATABASE__URL": second})
    file = tmp_path / "backup.tar.gz"
    made = [
        before("init"),
        before("import", town, "--as-of", AS_OF),
        before("backup", "--to", file),
    ]

    no_database = Desk(tmp_path / "other")("restore", "--from", file)
    restored = after("restore", "--from", file)
    again = Desk(tmp_path / "third", after.settings)("restore", "--from", file)

    assert [0, 0, 0] == [answer.status for answer in made], [answer.err for answer in made]
    assert (2, True) == (no_database.status, "set BILLCLOSE_DATABASE__URL" in no_database.err)
    assert 0 == restored.status, restored.err
    assert (2, True) == (again.status, "is not empty" in again.err)
    acts = [row for row in after.rows("audit") if row["action"] != "restore"]
    assert before.rows("audit") == acts
    assert not (after.home / "billclose.db").exists()
