"""`billclose split` and `billclose pattern`, as a clerk types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pikepdf
import pytest

from command_line.commands.pattern import pattern
from command_line.main import run
from domain.periods import BulkFile
from splitter.bulk_file.splitting import plan
from splitter.text.patterns import compile_patterns
from tests.splitter.hostile_builders import many_pages
from tests.splitter.pdf_builders import ACCOUNT, AMOUNT, DUE, a_page, write_pdf

FOLDER = Path(os.environ.get("BILLCLOSE_BUNDLES", "no-bundles"))
PATTERNS = ["--account", ACCOUNT, "--amount-due", AMOUNT, "--due-date", DUE]


@pytest.fixture
def bills(tmp_path):
    return write_pdf(
        tmp_path / "bills.pdf",
        [a_page("01.1037.1"), ["goes on"], ["BATCH SEPARATOR"], a_page("02.2048.2")],
    )


@pytest.fixture
def split(bills, tmp_path, capsys):
    def call(*options, file=bills, patterns=PATTERNS):
        to = ["--to", str(tmp_path / "out"), "--separator", "BATCH SEPARATOR"]
        status = run(["split", str(file), *patterns, *to, *options])
        return status, capsys.readouterr()

    return call


def names(tmp_path):
    return sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file())


def test_each_account_gets_a_file(split, tmp_path):
    status, said = split("--json")

    told = json.loads(said.out)
    assert (status, told["status"]) == (0, "done")
    assert told["pages"] == {"total": 4, "billed": 3, "separators": 1, "unassigned": 0}
    assert [(b["account"], b["first_page"], b["pages"], b["pdf"]) for b in told["bills"]] == [
        ("01.1037.1", 1, 2, "01.1037.1.pdf"),
        ("02.2048.2", 4, 1, "02.2048.2.pdf"),
    ]
    assert (told["bills"][0]["amount_due"], told["bills"][0]["due_date"]) == ("12.50", "2026-11-20")
    assert names(tmp_path) == ["01.1037.1.pdf", "02.2048.2.pdf"]


def test_a_dry_run_says_which_pages_go_where_and_writes_nothing(split, tmp_path):
    status, said = split("--dry-run")

    assert status == 0
    assert "pages 1-2  01.1037.1" in said.out
    assert not (tmp_path / "out").exists()


def test_accounts_that_need_a_person_are_held_back_and_the_others_written(split, tmp_path):
    path = write_pdf(
        tmp_path / "odd.pdf",
        [
            a_page("01.1037.1"),
            a_page("02.2048.2"),
            a_page("01.1037.1"),
            a_page("03.3059.3", "Account: 04.4060.4"),
            a_page("05.5071.5"),
        ],
    )

    status, said = split("--json", file=path)

    told = json.loads(said.out)
    assert (status, told["status"]) == (4, "needs-person")
    assert [page["page"] for page in told["unassigned"]] == [4]
    assert [bill["account"] for bill in told["held"]] == ["01.1037.1", "01.1037.1"]
    assert names(tmp_path) == ["02.2048.2.pdf", "05.5071.5.pdf"]


def test_a_bill_whose_next_page_is_nobodys_is_held_back(split, tmp_path):
    path = write_pdf(
        tmp_path / "odd.pdf",
        [a_page("01.1037.1"), a_page("02.2048.2", "Account: 03.3059.3")],
    )

    status, said = split(file=path)

    assert status == 4
    assert "the bill of 01.1037.1 is held back" in said.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"patterns": ["--account", "("]}, id="a pattern is not valid"),
        pytest.param({"patterns": ["--account", "[0-9]+"]}, id="a pattern has no group"),
        pytest.param({"file": "nowhere.pdf"}, id="there is no such file"),
        pytest.param({"patterns": [*PATTERNS, "--region", "1,2,3"]}, id="a region is half told"),
        pytest.param({"patterns": []}, id="no pattern is given"),
    ],
)
def test_it_is_wrong_use_when(split, tmp_path, wrong):
    status, said = split(**wrong)

    assert status == 2
    assert said.err
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_is_refused(split, bills, tmp_path):
    bills.write_bytes(bills.read_bytes()[:-100])

    status, said = split("--json")

    assert status == 3
    assert json.loads(said.out)["refusal"]["code"] == "pdf-unreadable"
    assert not (tmp_path / "out").exists()


def asked_for_patterns(file, capsys):
    status = pattern([str(file), "--json"], standalone_mode=False)
    return status, json.loads(capsys.readouterr().out)


def test_patterns_are_found_for_a_simple_file(bills, capsys):
    status, told = asked_for_patterns(bills, capsys)

    (table,) = tomllib.loads(told["toml"])["documents"]
    assert status == 0
    assert (table["file"], table["account"]) == ("bills.pdf", r"Account:[ \t]*([0-9.\-]+)")


def test_the_likely_values_are_marked(bills, capsys):
    pattern([str(bills)], standalone_mode=False)

    said = capsys.readouterr().out
    assert "[ACCOUNT> Account: 01.1037.1 <]" in said
    assert "[[documents]]" in said


def test_a_file_without_accounts_needs_a_person(tmp_path, capsys):
    status, told = asked_for_patterns(write_pdf(tmp_path / "a.pdf", [["Hello"]]), capsys)

    assert (status, told["candidates"]["account"]) == (4, [])
    tomllib.loads(told["toml"])


@pytest.mark.skipif(not FOLDER.is_dir(), reason="BILLCLOSE_BUNDLES is not set")
@pytest.mark.parametrize("name", ["larkspur-plain", "larkspur-boxed", "larkspur-html"])
def test_the_patterns_found_do_what_the_real_ones_do(name, capsys):
    bundle = FOLDER / name
    (real,) = tomllib.loads((bundle / "bundle.toml").read_text())["documents"]
    _, told = asked_for_patterns(bundle / "bills.pdf", capsys)
    (found,) = tomllib.loads(told["toml"])["documents"]

    def planned(table):
        bulk = BulkFile(
            "utility-bill", "", table["account"], table["amount_due"], table["due_date"],
            table.get("separator"),
        )  # fmt: skip
        compile_patterns(bulk)
        return plan(bundle / "bills.pdf", bulk)

    assert planned(real) == planned(found)


def test_no_match_at_all_is_said_once_with_what_to_do(split, tmp_path):
    status, said = split(patterns=["--account", r"Acount:\s*([0-9.]+)"])

    assert status == 4
    assert "pages 1-2: It names no account and no bill comes before it." in said.out
    assert "No page names an account as --account says" in said.out
    assert "billclose pattern" in said.out
    assert not (tmp_path / "out").exists()


def test_a_pattern_for_amounts_that_finds_none_is_said(split):
    status, said = split("--json", patterns=["--account", ACCOUNT, "--amount-due", r"Owed (\d+)"])

    assert status == 0
    assert json.loads(said.out)["notes"] == ["No bill shows an amount due as --amount-due says."]


def test_files_that_were_in_the_folder_before_are_told_of(split, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "01.1037.1.pdf").write_bytes(b"older")
    (tmp_path / "out" / "09.9999.9.pdf").write_bytes(b"another month's")

    status, said = split()

    assert status == 0
    assert "1 file of that name" in said.out
    assert "1 other file in" in said.out
    assert (tmp_path / "out" / "09.9999.9.pdf").read_bytes() == b"another month's"
    assert (tmp_path / "out" / "01.1037.1.pdf").read_bytes().startswith(b"%PDF")


def test_a_pattern_that_takes_a_page_for_an_account_is_wrong_use_and_prints_no_text(
    split, tmp_path
):
    status, said = split(patterns=["--account", r"(?s)(Account.*)"])

    assert status == 2
    assert "put the parentheses around the number alone" in said.err
    assert "12.50" not in said.err + said.out
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_said_before_the_file_is_read(bills, tmp_path, capsys):
    (tmp_path / "file").write_text("")

    status = run(["split", str(bills), *PATTERNS, "--to", str(tmp_path / "file" / "out")])

    said = capsys.readouterr().err
    assert status == 2
    assert "is a file; give another folder" in said
    assert "reading" not in said


def test_a_folder_is_no_file_to_split(split, tmp_path):
    status, said = split(file=tmp_path)

    assert status == 2
    assert "is a folder; give the PDF file in it" in said.err


START = """
import signal
from command_line.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
main()
"""


def test_a_stop_in_the_middle_leaves_whole_bills_alone(tmp_path):
    file, out = many_pages(tmp_path / "bills.pdf", 8_000), tmp_path / "out"
    command = [sys.executable, "-c", START, "split"]
    with subprocess.Popen(
        [*command, str(file), "--account", ACCOUNT, "--to", str(out)],
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as clerk:  # fmt: skip
        until = time.monotonic() + 90
        while time.monotonic() < until and not (out.is_dir() and any(out.iterdir())):
            time.sleep(0.01)
        os.killpg(clerk.pid, signal.SIGINT)  # as the terminal does, to all processes at once
        _, said = clerk.communicate(timeout=60)

    left = list(out.iterdir())
    assert clerk.returncode == 1
    assert "run the same command again to go on" in said
    assert 0 < len(left) < 4_000
    assert [path.name for path in left if path.suffix != ".pdf" or path.name.startswith(".")] == []
    for path in left[:: len(left) // 50 + 1]:
        assert len(pikepdf.open(path, attempt_recovery=False).pages) == 2
