"""Files that are written whole or not at all."""

from __future__ import annotations

import stat

import pytest

from reporting.private_files import replacing


def test_a_file_is_replaced_and_its_owners_alone(tmp_path):
    file = tmp_path / "journal.txt"
    file.write_text("old")

    with replacing(file) as out:
        out.write(b"new")

    assert "new" == file.read_text()
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert [file] == list(tmp_path.iterdir())


def test_a_failure_leaves_the_old_file_alone(tmp_path):
    file = tmp_path / "journal.txt"
    file.write_text("old")

    with pytest.raises(ZeroDivisionError), replacing(file) as out:
        out.write(b"half")
        raise ZeroDivisionError

    assert "old" == file.read_text()
    assert [file] == list(tmp_path.iterdir())
