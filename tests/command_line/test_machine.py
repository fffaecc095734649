"""A home that cannot be written to and a disk that is full."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flows.desk import AS_OF, Desk

ROOT = Path(__file__).parents[2]
DROP_FROM_BOUNDING_SET = 24  # prctl(2)
MAY_IGNORE_MODES = (1, 2)  # capabilities(7): CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
START = "from command_line.main import main; main()"


def obey_modes() -> None:
    """Give up root's right to write wherever it likes; whoever is not root never had it."""
    if os.geteuid() == 0:
        for capability in MAY_IGNORE_MODES:
            if ctypes.CDLL(None).prctl(DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) != 0:
                raise PermissionError


def as_ordinary_user(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in arguments]
    try:
        return subprocess.run(
            [sys.executable, "-c", START, *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            preexec_fn=obey_modes,
        )
    except subprocess.SubprocessError:
        pytest.skip("root cannot give up its right to write everywhere here")


@pytest.fixture
def read_only(prepared, tmp_path):
    """A home that its owner may not write to."""
    desk = prepared.copied(tmp_path / "office")
    desk.home.chmod(0o500)
    yield desk
    desk.home.chmod(0o700)


@pytest.mark.parametrize("command", [["init"], ["list", "bills"], ["close", "TOWN", "--yes"]])
def test_a_read_only_home(read_only, town, command):
    words = [town if word == "TOWN" else word for word in command]

    done = as_ordinary_user("--home", read_only.home, *words)

    (sentence,) = done.stderr.splitlines()
    assert (2, "") == (done.returncode, done.stdout)
    assert f"billclose: The home {read_only.home} cannot be written to" in sentence


def test_a_home_that_cannot_be_made(read_only):
    done = as_ordinary_user("--home", read_only.home / "new", "init")

    (sentence,) = done.stderr.splitlines()
    assert 2 == done.returncode
    assert sentence.startswith("billclose: ")
    assert "cannot be made: Permission denied" in sentence


def test_books_that_cannot_be_written_to(prepared, tmp_path, town):
    desk = prepared.copied(tmp_path / "office")
    (desk.home / "billclose.db").chmod(0o400)

    done = as_ordinary_user("--home", desk.home, "import", town, "--as-of", AS_OF)

    (sentence,) = done.stderr.splitlines()
    assert 1 == done.returncode
    assert "billclose: the database said: attempt to write a readonly database" in sentence


@contextmanager
def small_disk(place: Path, size: str):
    """A disk of its own for a folder, that can be made larger."""
    place.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True
    )
    if mounting.returncode != 0:
        pytest.skip("mounting a small disk is not possible here")
    try:
        yield lambda size: subprocess.run(
            ["mount", "-o", f"remount,size={size}", place], check=True
        )
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_that_is_full_while_splitting(desk, closed, town, tmp_path):
    with small_disk(tmp_path / "disk", "16k") as enlarge:
        store = {"BILLCLOSE_BILLS__STORE": str(tmp_path / "disk" / "bills")}
        full = desk.close(town, "--yes", **store)
        after_full = desk.rows("bills"), list((tmp_path / "disk").rglob(".new-*"))
        enlarge("8m")
        again = desk.close(town, "--yes", **store)
        filed = {path.name for path in (tmp_path / "disk").rglob("*.pdf")}

    assert (1, 1) == (full.status, len(full.sentences)), full.err
    assert "disk is full" in full.sentences[0]
    assert ([], []) == after_full
    assert "Traceback" not in full.err
    assert (0, "closed") == (again.status, again.json["status"]), again.err
    assert closed.rows("bills") == desk.rows("bills")
    assert {Path(row["pdf"]).name for row in desk.rows("bills")} == filed


def test_a_home_whose_disk_is_full(prepared, server, closed, town, tmp_path):
    with small_disk(tmp_path / "office", "4m") as enlarge:
        shutil.copytree(prepared.home, tmp_path / "office", dirs_exist_ok=True)
        desk = Desk(tmp_path / "office", server.environment)
        ballast = tmp_path / "office" / "ballast"
        with pytest.raises(OSError, match="No space left"), ballast.open("wb", 0) as file:
            while True:
                file.write(bytes(4096))
        full = desk.close(town, "--yes")
        ballast.unlink()
        enlarge("64m")
        again = desk.close(town, "--yes")
        bills = desk.rows("bills")

    assert (1, 1) == (full.status, len(full.sentences)), full.err
    assert "disk" in full.sentences[0]
    assert (0, "closed") == (again.status, again.json["status"]), again.err
    assert closed.rows("bills") == bills
