"""Folders and .zip files: the same export, and what is refused."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from billing_system.embedded import EmbeddedBillingSystem
from domain.failures import Misuse
from tests.builders_export import MANIFEST, export_files, write_export, write_zip


def read(source: Path):
    return EmbeddedBillingSystem().read_export(source)


@pytest.mark.parametrize("top", ["", "2026-10 export/"])
def test_a_zip_is_the_same_export_as_its_folder(tmp_path, top):
    folder = read(write_export(tmp_path / "folder"))
    packed = read(write_zip(tmp_path / "export.zip", top=top))

    assert folder.sha256 == packed.sha256
    assert folder.accounts == packed.accounts
    assert list(folder.movements([].append)) == list(packed.movements([].append))


def test_the_hash_depends_on_what_is_read_and_on_nothing_else(tmp_path):
    folder = write_export(tmp_path / "folder")
    before = read(folder).sha256
    (folder / "Thumbs.db").write_bytes(b"pictures")

    assert before == read(folder).sha256
    (folder / "bills.pdf").write_bytes(b"%PDF-1.4 other")
    assert before != read(folder).sha256


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ({"bundle": None}, "holds no bundle.toml"),
        ({"accounts": None}, "accounts.csv is missing from the export, which holds"),
        ({"transactions": None}, "transactions.csv is missing"),
        ({"bills": None}, "bills.pdf is missing"),
        ({"accounts": ""}, "accounts.csv is empty"),
    ],
)
def test_an_incomplete_export_is_refused(tmp_path, missing, sentence):
    with pytest.raises(Misuse) as misuse:
        read(write_export(tmp_path / "export", **missing))

    assert sentence in misuse.value.message


def test_nothing_an_empty_folder_and_another_file_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.txt").write_text("hello")
    (tmp_path / "broken.zip").write_bytes(write_zip(tmp_path / "a.zip").read_bytes()[:-30])

    for name, sentence in [
        ("nowhere", "does not exist"),
        ("empty", "is empty"),
        ("note.txt", "neither a folder nor a .zip"),
        ("broken.zip", "it is damaged or not whole"),
    ]:
        with pytest.raises(Misuse, match=sentence):
            read(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["../outside.csv", "/etc/passwd", "a/../../b", "C:/windows.csv", "..\\outside.csv"]
)
def test_a_zip_that_points_outside_is_refused(tmp_path, name):
    path = write_zip(tmp_path / "export.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")

    with pytest.raises(Misuse, match="points outside of it"):
        read(path)


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = write_zip(tmp_path / "export.zip")
    link = zipfile.ZipInfo("cosigners_link.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")

    with pytest.raises(Misuse, match="points outside of it"):
        read(path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = write_zip(tmp_path / "export.zip", bills=b"\0" * 20_000_000)

    with pytest.raises(Misuse, match="which is no billing export"):
        read(path)


def test_a_damaged_member_is_refused(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:  # stored, so that its bytes can be found
        for name, content in export_files(bills=b"%PDF-1.4 findable").items():
            archive.writestr(name, content)
    path.write_bytes(path.read_bytes().replace(b"findable", b"damagedd", 1))

    with pytest.raises(Misuse, match=r"bills.pdf in export.zip is damaged"):
        read(path)


def test_an_encrypted_zip_is_refused(tmp_path):
    path = write_zip(tmp_path / "export.zip")
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # the flag of the first member in the directory
    path.write_bytes(raw)

    with pytest.raises(Misuse, match="is encrypted"):
        read(path)


def test_bulk_files_may_lie_in_a_folder_of_the_export(tmp_path):
    folder = write_export(tmp_path / "export", bundle=MANIFEST.replace("bills.pdf", "pdf/a.pdf"))
    (folder / "pdf").mkdir()
    (folder / "bills.pdf").rename(folder / "pdf" / "a.pdf")

    assert [bulk.file for bulk in read(folder).bulk_files] == ["pdf/a.pdf"]
