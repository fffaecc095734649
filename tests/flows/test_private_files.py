"""What a closed office keeps is its owner's alone, and a backup of it gives the same office."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import pytest

from tests.flows.desk import Desk


def open_to_others(folder: Path) -> list[str]:
    """What somebody else on the machine could read, write or enter."""
    return [
        f"{path.relative_to(folder)} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in folder.rglob("*")
        if not path.is_symlink()
        and stat.S_IMODE(path.lstat().st_mode) & ~(0o700 if path.is_dir() else 0o600)
    ]


def test_every_file_of_a_closed_home_is_its_owners_alone(closed):
    assert [] == open_to_others(closed.home)
    assert 0o700 == stat.S_IMODE(closed.home.stat().st_mode)


@pytest.fixture
def saved(closed, tmp_path):
    """A closed office with a password in its settings, and its backup."""
    desk = closed.copied(tmp_path / "office")
    with (desk.home / "billclose.toml").open("a") as settings:
        settings.write('[smtp]\npassword = "hunter2-of-mail"\n')
    text = (desk.home / "billclose.toml").read_text().replace("\n[smtp]\n", "\n", 1)
    (desk.home / "billclose.toml").write_text(text)
    answer = desk("backup", "--to", tmp_path / "backup.tar.gz")
    assert 0 == answer.status, answer.err
    return desk, tmp_path / "backup.tar.gz"


LISTS = ("bills", "deliveries", "paper", "scheduled-payments", "checks", "exceptions")


def test_a_backup_gives_the_same_office_in_a_new_home(saved, tmp_path):
    before, file = saved
    answer = before("restore", "--from", file)
    after = Desk(tmp_path / "new", before.settings)
    restored = after("restore", "--from", file)

    assert (2, 0) == (answer.status, restored.status), restored.err
    assert "is not empty" in answer.sentences[0]
    assert [before.rows(what) for what in LISTS] == [after.rows(what) for what in LISTS]
    acts = after.rows("audit")
    assert before.rows("audit") == [row for row in acts if row["action"] != "restore"]
    assert ["restore"] == [row["action"] for row in acts if row["action"] == "restore"]
    assert 0 == after("audit", "verify").status
    assert [] == open_to_others(after.home)
    bills = {p.relative_to(before.home): p.read_bytes() for p in before.home.glob("bills/**/*.pdf")}
    assert bills == {
        p.relative_to(after.home): p.read_bytes() for p in after.home.glob("bills/**/*.pdf")
    }


def test_a_backup_holds_no_password(saved):
    _, file = saved

    with tarfile.open(file) as tar:
        content = b"".join(tar.extractfile(one).read() for one in tar if one.isfile())
        names = tar.getnames()

    assert b"hunter2" not in content
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert [] == [name for name in names if "prefect" in name or name.endswith("-wal")]


def test_a_damaged_backup_is_refused_before_anything_is_made(saved, tmp_path):
    before, file = saved
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    (tmp_path / "damaged.tar.gz").write_bytes(content)
    (tmp_path / "no-backup.tar.gz").write_text("hello")

    for name in ("damaged", "no-backup", "missing"):
        answer = Desk(tmp_path / "new", before.settings)(
            "restore", "--from", tmp_path / f"{name}.tar.gz"
        )

        assert (2, 1) == (answer.status, len(answer.sentences)), answer.err
        assert not (tmp_path / "new").exists()


def test_a_backup_is_never_overwritten(saved):
    before, file = saved
    content = file.read_bytes()

    answer = before("backup", "--to", file)

    assert (2, content) == (answer.status, file.read_bytes())
    assert [] == list(file.parent.glob(".backup*"))
