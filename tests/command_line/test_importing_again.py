"""An export given once more after its bills were split: what the split found is not its own."""

from __future__ import annotations

import sqlite3

import pytest

from splitter.runs.records import SPLIT_PROBLEMS
from tests.builders_export import write_export


def keep(home, code):
    """Keep a problem as a step of the close does."""
    with sqlite3.connect(home / "billclose.db") as books:
        books.execute(
            "INSERT INTO problem"
            " (period, line, code, account, file, row, column_name, message)"
            " SELECT period, 1, ?, '', 'bills.pdf', 0, '', 'said' FROM bill_run",
            (code,),
        )


@pytest.mark.parametrize("code", [*SPLIT_PROBLEMS, "unreadable-row"])
def test_only_what_could_not_be_read_needs_a_person(desk, tmp_path, code):
    write_export(tmp_path / "export")
    assert 0 == desk("import", tmp_path / "export", "--json").status
    keep(desk.home, code)

    again = desk("import", tmp_path / "export", "--json")

    is_of_import = code not in SPLIT_PROBLEMS
    assert (4 if is_of_import else 0) == again.status
    assert "unchanged" == again.json["status"]
    assert [code] * is_of_import == [one["check"] for one in again.json["problems"]]
