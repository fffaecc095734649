"""Every dry run says what would be, names no file that is not there, and leaves nothing behind."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reporting.run_sheet.figures import close_figures
from tests.command_line.test_acting import every_command, options_of
from tests.corrections.correcting_builders import small_export
from tests.flows.town import ABBOTT, MISPRINTED, write_town
from tests.reporting.builders import a_sheet

ACCOUNT = r"Account:\s*([0-9.\-]+)"
AFTER = "2026-11-23T09:00"  # past due, and past each day of a draw
CALLS = {
    "close": ("NEXT-MONTH", "--as-of", "2026-12-01T09:00"),
    "schedule-autopay": ("2026-10", "--as-of", AFTER),
    "collect": ("--as-of", AFTER),
    "remind": ("--as-of", AFTER, "--despite-stale-balances", "a test"),
    "notify": ("--as-of", AFTER),
    "correct": (
        *("01.1001.1", "--period", "2026-10", "--bundle", "SMALL", "--reason", "misread"),
        *("--as-of", "2026-11-04T09:00"),
    ),
    "undo": ("2026-10", "--as-of", "2026-11-03T09:00"),
    "arrange": (
        *("01.1001.1", "--amount", "10.00", "--installments", "2", "--reason", "asked"),
        *("--as-of", AFTER),
    ),
    "communication send": (
        *("--subject", "News", "--body", "TEXT", "--to-customers", "--as-of", AFTER),
    ),
    "texts announce": ("--text", "TEXT", "--to-customers", "--as-of", AFTER),
    "split": ("BILLS", "--account", ACCOUNT, "--to", "FOLDER", "--separator", "BATCH"),
}
DONE = re.compile(
    r"\b(sent|e-?mailed|printed|drawn|scheduled|moved|closed|posted|written|imported|invited)\b"
)
NOT_DONE = re.compile(r"\b(would|nothing|not|no|may be|done before)\b", re.IGNORECASE)
FILE = re.compile(r"[\w.-]*/[\w./-]+\.(?:html|pdf|eml)\b")


def test_every_command_with_a_dry_run_is_tried():
    found = {name for name, one in every_command().items() if "--dry-run" in options_of(one)}

    assert found == set(CALLS)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("dry")
    write_town(place / "november", period="2026-11")
    small_export(place / "small", replace(ABBOTT, charges="20.00"))
    (place / "text.txt").write_text("The office is closed on Friday.")
    return place


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_dry_run_says_would(closed, place, name):
    stands_for = {
        "NEXT-MONTH": place / "november",
        "SMALL": place / "small",
        "TEXT": place / "text.txt",
        "BILLS": place / "november" / "bills.pdf",
        "FOLDER": place / "split",
    }
    words = [stands_for.get(word, word) for word in CALLS[name]]
    before = closed.files()

    answer = closed(*name.split(), *words, "--dry-run")

    assert answer.status in (0, 3), answer.err
    said = [line for line in (answer.out + answer.err).splitlines() if not is_fact(line)]
    assert said
    assert [] == [line for line in said if DONE.search(line) and not NOT_DONE.search(line)]
    assert [] == [file for line in said for file in FILE.findall(line)]
    assert before == closed.files()
    assert not (place / "split").exists()


def test_a_dry_run_that_is_refused_sends_nobody_to_the_copy_that_is_gone(closed, tmp_path):
    town = write_town(tmp_path / "misprinted", MISPRINTED, period="2026-11")

    answer = closed("close", town, "--dry-run", "--json", "--as-of", "2026-12-01T09:00")

    assert (3, "refused") == (answer.status, answer.json["status"]), answer.err
    assert "Period 2026-11 would not be closed: " in answer.json["refusal"]["message"]
    assert "billclose-rehearsal" not in answer.out + answer.err


def is_fact(line: str) -> bool:
    """Tell whether a line shows what stands already, or the text that would be mailed."""
    facts = ("    ", "  - ", "The office is closed", "English: ", "The close of")
    return line.startswith(facts)


def test_the_document_of_a_dry_run_says_open_and_names_no_batch():
    sheet = a_sheet()

    closed, rehearsed = (
        close_figures("2026-10", status, None, sheet) for status in ("closed", "dry-run")
    )

    assert (True, list(sheet.paper.files)) == (closed["closed"], closed["paper"]["files"])
    assert (False, None, []) == (
        rehearsed["closed"],
        rehearsed["paper"]["file"],
        rehearsed["paper"]["files"],
    )
    assert closed["paper"]["bills"] == rehearsed["paper"]["bills"]
