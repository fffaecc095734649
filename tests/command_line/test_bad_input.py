"""Bad input gets one clear sentence, the right exit status, and leaves no half-done work."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from tests.builders_export import ACCOUNT, a_table
from tests.flows.desk import AS_OF
from tests.flows.town import TOWN, printed_bills, write_town

Make = Callable[[Path], Path]

WHATS = ("bills", "deliveries", "paper", "scheduled-payments", "autopay-unscheduled")


def a_town(**changes: str | bytes | None) -> Make:
    return lambda folder: write_town(folder, **changes)


def a_town_with(file: str, old: str, new: str) -> Make:
    """The town with a text replaced in one of its files."""

    def make(folder: Path) -> Path:
        path = write_town(folder) / file
        content = path.read_text("utf-8")
        assert old in content
        path.write_text(content.replace(old, new), "utf-8")
        return folder

    return make


def an_empty_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def nothing(folder: Path) -> Path:
    return folder


def a_text_file(folder: Path) -> Path:
    folder.write_text("no export")
    return folder


def a_cut_zip(folder: Path) -> Path:
    write_town(folder)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    cut = folder.with_suffix(".zip")
    cut.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    return cut


def encrypted() -> bytes:
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(printed_bills())) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    return locked.getvalue()


BEFORE_ANY_STEP = {
    "no bundle": (nothing, "does not exist"),
    "an empty folder": (an_empty_folder, "is empty"),
    "neither a folder nor a .zip": (a_text_file, "neither a folder nor a .zip"),
    "a damaged .zip": (a_cut_zip, "it is damaged or not whole"),
    "no manifest": (a_town(bundle=None), "no bundle.toml"),
    "a manifest that is no TOML": (a_town(bundle="[utility\n"), "bundle.toml"),
    "a manifest without a period": (a_town(bundle="[utility]\nname = 'x'\n"), "bundle.toml"),
    "a missing table": (a_town(accounts=None), "accounts.csv is missing"),
    "a missing bulk file": (a_town(bills=None), "bills.pdf is missing"),
    "a missing column": (
        a_town_with("accounts.csv", "closing_balance", "balance"),
        "closing_balance",
    ),
    "an empty table": (a_town(accounts=""), "accounts.csv"),
    "a bad regular expression": (
        a_town_with("bundle.toml", r"Account:\s*([0-9.\-]+)", "Account: ([0-9"),
        "regular expression",
    ),
    "a pattern without a group": (
        a_town_with("bundle.toml", r"Account:\s*([0-9.\-]+)", "Account: [0-9]+"),
        "group",
    ),
    "no such time zone": (
        a_town_with("bundle.toml", "America/Denver", "America/Larkspur"),
        "America/Larkspur",
    ),
    "a period that ends before it begins": (
        a_town_with("bundle.toml", "end = 2026-10-31", "end = 2026-09-30"),
        "end",
    ),
}

NO_TABLE = {
    "UTF-16": (
        a_town(accounts=a_table(ACCOUNT).encode("utf-16")),
        "accounts.csv",
    ),
    "a picture for a table": (
        a_town(accounts=b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))),
        "accounts.csv",
    ),
}

DURING_A_STEP = {
    "a PDF that is cut off": (a_town(bills=printed_bills()[:-700]), "bills.pdf", "pdf-unreadable"),
    "a PDF with a password": (a_town(bills=encrypted()), "password", "pdf-unreadable"),
    "an empty PDF": (a_town(bills=b""), "empty", "pdf-unreadable"),
    "no PDF": (a_town(bills=b"PK\x03\x04 no PDF"), "not a PDF", "pdf-unreadable"),
    "an account that is there twice": (
        lambda folder: write_town(folder, [*TOWN, TOWN[0]]),
        "01.1001.1",
        "account-duplicate",
    ),
}


def nothing_shows(desk):
    assert {what: [] for what in WHATS} == {what: desk.rows(what) for what in WHATS}
    folders = [desk.home / name for name in ("bills", "mail", "print", "reports")]
    assert [] == [path for folder in folders for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("command", ["close", "import"])
@pytest.mark.parametrize("name", BEFORE_ANY_STEP)
def test_is_refused_before_anything_is_done(desk, tmp_path, name, command):
    make, words = BEFORE_ANY_STEP[name]
    bundle, before = make(tmp_path / "larkspur"), desk.files()

    answer = desk(command, bundle, "--as-of", AS_OF, "--json", *(["--yes"] * (command == "close")))

    (sentence,) = answer.sentences
    other_lines = [line for line in answer.err.splitlines() if line != sentence]
    assert (2, []) == (answer.status, other_lines)
    assert words in sentence
    assert sentence == f"billclose: {answer.json['refusal']['message']}"
    assert before == desk.files()


@pytest.mark.parametrize("name", NO_TABLE)
def test_a_table_in_another_encoding_is_refused(prepared, tmp_path, name):
    make, words = NO_TABLE[name]
    before = prepared.files()

    answer = prepared("import", make(tmp_path / "larkspur"), "--as-of", AS_OF, "--json")

    assert (3, answer.err.splitlines()) == (answer.status, answer.sentences)
    assert (1, True) == (len(answer.sentences), words in answer.sentences[0])
    assert before == prepared.files()


@pytest.mark.parametrize("name", DURING_A_STEP)
def test_is_refused_during_a_step_and_taken_back(desk, tmp_path, name):
    make, words, code = DURING_A_STEP[name]

    answer = desk.close(make(tmp_path / "larkspur"), "--yes")

    (sentence,) = answer.sentences
    steps = [
        line for line in answer.err.splitlines() if line.startswith(("  ✓ ", "  export   not in "))
    ]
    findings = answer.err.splitlines()[len(steps) + 1 :] if answer.json["checks"] else []
    assert [*steps, sentence, *findings] == answer.err.splitlines()
    assert bool(findings) == bool(answer.json["findings"]["must_do"])
    assert (3, code) == (answer.status, answer.json["refusal"]["code"])
    assert words in sentence
    nothing_shows(desk)


def test_a_sound_file_may_follow_a_broken_one(desk, tmp_path, town):
    desk.close(write_town(tmp_path / "larkspur", bills=b"no PDF"), "--yes")

    answer = desk.close(town, "--yes")

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err


def test_a_name_that_is_neither_a_folder_nor_a_period(prepared):
    answer = prepared("close", "2026-09", "--yes", "--json")

    assert (2, "no-bundle") == (answer.status, answer.json["refusal"]["code"])
    assert "2026-09" in answer.sentences[0]


@pytest.mark.parametrize("command", ["check", "schedule-autopay"])
def test_an_unknown_period(prepared, command):
    answer = prepared(command, "2026-09", "--json")

    assert (2, "unknown-period") == (answer.status, answer.json["refusal"]["code"])
    assert [f"billclose: {answer.json['refusal']['message']}"] == answer.err.splitlines()
