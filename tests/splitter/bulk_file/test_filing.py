"""The bill store: whole files or none, private, and never outside its folder."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.accounts import account_key
from domain.failures import Misuse
from splitter.bulk_file.filing import file_name
from splitter.store import local as local_files
from splitter.store.bill_store import BillStore


@pytest.fixture(params=["a folder", "a URL of a folder", "memory"])
def store(request, tmp_path):
    location = {
        "a folder": tmp_path / "bills",
        "a URL of a folder": f"file://{tmp_path}/bills",
        "memory": f"memory://{tmp_path}/bills",
    }
    return BillStore(location[request.param])


def test_what_was_written_is_read(store):
    store.write("2026-10/01.1037.1.pdf", b"one")
    store.write("2026-10/01.1037.1.pdf", b"two")

    assert store.exists("2026-10/01.1037.1.pdf")
    assert store.read("2026-10/01.1037.1.pdf") == b"two"


def test_what_was_not_written_is_not_there(store):
    assert not store.exists("2026-10/01.1037.1.pdf")
    with pytest.raises(FileNotFoundError):
        store.read("2026-10/01.1037.1.pdf")


def test_a_run_is_deleted_and_no_other(store):
    store.write("2026-10/a/1.pdf", b"one")
    store.write("2026-10/2.pdf", b"two")
    store.write("2026-11/3.pdf", b"three")

    store.delete_run("2026-10")
    store.delete_run("2026-10")

    assert [
        store.exists(path) for path in ("2026-10/a/1.pdf", "2026-10/2.pdf", "2026-11/3.pdf")
    ] == [False, False, True]


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../../x", "a\0b", "..", ".", "a\\..\\b"])
def test_no_path_leads_out_of_the_store(store, path):
    for use in (lambda: store.write(path, b""), lambda: store.read(path)):
        with pytest.raises(Misuse):
            use()
    with pytest.raises(Misuse):
        store.delete_run(path)


def test_a_file_that_is_not_finished_is_not_there(store):
    with pytest.raises(RuntimeError), store.open_new("2026-10/1.pdf") as file:
        file.write(b"half")
        raise RuntimeError

    assert not store.exists("2026-10/1.pdf")


def test_bills_are_for_the_offices_own_user(tmp_path):
    BillStore(tmp_path / "bills").write("2026-10/1.pdf", b"one")

    folder = tmp_path / "bills" / "2026-10"
    assert stat.S_IMODE((folder / "1.pdf").stat().st_mode) == 0o600
    assert {0o700} == {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)}


def test_a_full_disk_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    def no_space(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)

    with pytest.raises(OSError, match="No space left"):
        BillStore(tmp_path).write("2026-10/1.pdf", b"one")

    assert list((tmp_path / "2026-10").iterdir()) == []


def test_a_file_larger_than_allowed_leaves_the_old_one(tmp_path):
    store = BillStore(tmp_path)
    store.write("1.pdf", b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            store.write("1.pdf", b"x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [tmp_path / "1.pdf"] == list(tmp_path.iterdir())
    assert store.read("1.pdf") == b"old"


@pytest.mark.parametrize(
    ("account", "ordinal", "expected"),
    [
        pytest.param("01.1037.1", 1, "01.1037.1.pdf", id="an ordinary number"),
        pytest.param("01.1037.1", 2, "01.1037.1~2.pdf", id="its second bill"),
        pytest.param("06-2508-4", 1, "06-2508-4.pdf", id="with dashes"),
    ],
)
def test_a_bill_is_named_after_its_account(account, ordinal, expected):
    assert expected == file_name(account, ordinal)


HOSTILE = [
    "../../x", "/etc/passwd", "a\0b", "a\\b", "C:x", "x" * 300, "Zähler-1", "١٢٣", "con", "NUL.1",
    "lpt9.a.b", ".hidden", "..", "", "a.", "a ", "-rf", "a\nb", "a~2", "01.1 037", "🦊", "%2e%2e",
]  # fmt: skip


@pytest.mark.parametrize("account", HOSTILE)
def test_a_hostile_account_number_makes_a_harmless_name(account, tmp_path):
    name = file_name(account)

    assert name.isascii()
    assert name[0] not in ".-~ "
    assert len(name) <= 80
    assert not set(name) & set('/\\:*?"<>|\0\n %')
    assert name.split(".")[0].split("~")[0].lower() not in {"con", "nul", "lpt9", ""}
    BillStore(tmp_path).write(f"period/{name}", b"one")
    assert [tmp_path / "period" / name] == list((tmp_path / "period").iterdir())


SOME_ACCOUNTS = some.text(max_size=20) | some.from_regex(r"[0-9.\-~/A-Za-z]{1,12}", fullmatch=True)


@given(SOME_ACCOUNTS, SOME_ACCOUNTS, some.integers(1, 3), some.integers(1, 3))
def test_two_accounts_never_share_a_name(one, other, first, second):
    if account_key(one) != account_key(other) or first != second:
        names = file_name(one, first), file_name(other, second)
        assert names[0].casefold() != names[1].casefold()


def test_what_is_written_soon_is_there_whole_and_private(tmp_path):
    store = BillStore(tmp_path)

    store.write_soon("period/1.pdf", b"one")
    store.write_soon("period/2.pdf", b"two")
    store.make_durable()

    assert [store.read("period/1.pdf"), store.read("period/2.pdf")] == [b"one", b"two"]
    assert stat.S_IMODE((tmp_path / "period").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "period" / "1.pdf").stat().st_mode) == 0o600
    assert len(list((tmp_path / "period").iterdir())) == 2


def test_a_file_that_cannot_be_written_leaves_nothing_and_the_old_one(tmp_path, monkeypatch):
    store = BillStore(tmp_path)
    store.write("period/1.pdf", b"old")
    monkeypatch.setattr(os, "write", _disk_full)

    with pytest.raises(OSError, match="No space left"):
        store.write_soon("period/1.pdf", b"new")

    assert store.read("period/1.pdf") == b"old"
    assert [tmp_path / "period" / "1.pdf"] == list((tmp_path / "period").iterdir())


def _disk_full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_nothing_is_written_outside_the_store(tmp_path):
    with pytest.raises(Misuse):
        BillStore(tmp_path / "bills").write_soon("../x", b"")


def test_a_store_without_files_settles(tmp_path):
    BillStore(tmp_path / "none").make_durable()


def test_a_store_that_cannot_be_made_durable_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(local_files, "_libc", lambda: _Failing())

    with pytest.raises(OSError, match="Input/output error"):
        BillStore(tmp_path).make_durable()


class _Failing:
    def syncfs(self, descriptor):
        ctypes.set_errno(errno.EIO)
        return -1
