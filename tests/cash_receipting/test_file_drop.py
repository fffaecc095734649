"""Import files: each posting in one of them, each of them whole, once, and answered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cash_receipting.import_files.file_drop import FileDropReceipting, Outgoing
from cash_receipting.import_files.layout import Layout, read_layout
from cash_receipting.posting import post_due
from domain.failures import Misuse, PermanentFailure
from tests.cash_receipting.builders import MINUTE, Clock, always, receipt_key, rows, states, take
from tests.contracts.test_cash_receipting import KEY, a_request

FIXED = """
kind = "fixed"
line_end = "\\n"
[[column]]
field = "key"
width = 40
[[column]]
field = "cents"
width = 10
align = "right"
fill = "0"
[[column]]
field = "taken_on"
width = 8
date_format = "%m%d%Y"
[[column]]
text = "UB"
width = 3
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "drop"


@pytest.fixture
def system(folder, tmp_path):
    chosen = FileDropReceipting(folder, tmp_path / "tray.db", Layout())
    yield chosen
    chosen.close()


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.name != ".lock")


def answer(folder: Path, *lines: str, name: str = "bank.ack.csv") -> None:
    (folder / name).write_text("key,status,receipt,reason\n" + "\n".join(lines) + "\n")


def test_a_file_says_its_batch_its_postings_and_its_total_and_the_manifest_its_hash(system, folder):
    system.post(a_request())
    system.post(a_request(key=KEY + "9"))
    system.hand_over()

    file = "receipts-000001-2-160.10.csv"
    assert [file, f"{file}.manifest.json"] == names(folder)
    manifest = json.loads((folder / f"{file}.manifest.json").read_text())
    content = (folder / file).read_bytes()
    assert (2, "160.10") == (manifest["postings"], manifest["total"])
    assert hashlib.sha256(content).hexdigest() == manifest["sha256"]
    assert 3 == content.count(b"\r\n")
    assert 0o600 == (folder / file).stat().st_mode & 0o777


def test_a_posting_is_in_one_file_however_often_it_is_posted(system, folder):
    for _ in range(3):
        assert system.post(a_request()) is None
        system.hand_over()

    assert 2 == len(names(folder))


@pytest.mark.parametrize("fetched", [False, True])
@pytest.mark.parametrize("stops_at", ["_put_out", "_write_manifest", "mark_out"])
def test_after_a_crash_a_file_is_finished_and_never_made_again(
    system, folder, monkeypatch, stops_at, fetched
):
    class Killed(BaseException):
        pass

    def die(*_arguments):
        raise Killed

    system.post(a_request())
    with monkeypatch.context() as crashing:
        owner = system._submitted.__class__ if stops_at == "mark_out" else Outgoing
        crashing.setattr(owner, stops_at, die)
        with pytest.raises(Killed):
            system.hand_over()
    left = names(folder)
    if fetched:  # whoever fetches files takes those that have a manifest
        for manifest in folder.glob("*.manifest.json"):
            (folder / manifest.name.removesuffix(".manifest.json")).unlink()
            manifest.unlink()

    system.hand_over()

    file = "receipts-000001-1-80.05.csv"
    taken = fetched and stops_at == "mark_out"
    assert ([] if taken else [file, f"{file}.manifest.json"]) == names(folder)
    assert left
    system.hand_over()
    assert [] == list(folder.glob("*000002*"))


def test_an_answer_brings_the_receipt_and_a_refusal_its_reason(system, folder):
    system.post(a_request())
    system.post(a_request(key=KEY + "9"))
    system.hand_over()

    answer(folder, f"{KEY},accepted,T-17,", f"{KEY}9,rejected,,account  is closed")

    assert "T-17" == system.find(a_request()).number
    with pytest.raises(PermanentFailure, match="account is closed"):
        system.find(a_request(key=KEY + "9"))
    assert ["bank.ack.csv"] == names(folder / "answered")


def test_a_refused_posting_that_is_posted_again_goes_into_a_new_file(system, folder):
    system.post(a_request())
    system.hand_over()
    answer(folder, f"{KEY},rejected,,closed")
    system.hand_over()

    system.post(a_request())
    system.hand_over()

    assert (folder / "receipts-000002-1-80.05.csv").exists()


@pytest.mark.parametrize(
    "line", [f"{KEY},accepted,,", f"{KEY},perhaps,T-1,", ",accepted,T-1,", '"'], ids=str
)
def test_an_answer_that_cannot_be_understood_is_left_whole_to_a_person(system, folder, line):
    system.post(a_request())
    system.post(a_request(key=KEY + "9"))
    system.hand_over()

    answer(folder, f"{KEY}9,accepted,T-2,", line)

    assert system.find(a_request(key=KEY + "9")) is None
    assert ["bank.ack.csv"] == names(folder / "unreadable")


def test_a_fixed_layout_pads_and_never_cuts(tmp_path):
    (tmp_path / "layout.toml").write_text(FIXED)
    layout = read_layout(tmp_path / "layout.toml")

    line = layout.to_line(a_request(key="receipt/7"))

    assert "receipt/7".ljust(40) + "0000008005" + "11132026" + "UB \n" == line
    with pytest.raises(PermanentFailure, match="does not fit"):
        layout.to_line(a_request(key="r" * 41))


@pytest.mark.parametrize(
    "text",
    [
        "kind = 7",
        'kind = "fixed"',
        "[[column]]\nfield = 'account'",
        "[[column]]\nfield = 'iban'",
        "=",
    ],
)
def test_a_wrong_layout_is_refused_at_once(tmp_path, text):
    (tmp_path / "layout.toml").write_text(text)

    with pytest.raises(Misuse, match="layout"):
        read_layout(tmp_path / "layout.toml")


@pytest.mark.release("postgresql")  # the same few statements, dozens of times
def test_postings_wait_for_the_answer_without_using_up_their_tries(books, system, folder):
    take(books, [1, 2, 3])
    clock = Clock()
    for _ in range(60):
        post_due(books, system, clock, chance=always(0.5))
        clock.move(16 * MINUTE)
    assert {"submitted"} == set(states(books))
    waiting = rows(books)[receipt_key(1)]
    assert "not acknowledged" in waiting.error

    answer(folder, *(f"{receipt_key(n)},accepted,T-{n}," for n in (1, 2)),
           f"{receipt_key(3)},rejected,,no such account")  # fmt: skip
    post_due(books, system, clock, chance=always(0.5))

    assert ["posted", "posted", "rejected"] == states(books)
    assert {1, 2, 3} == _numbers(folder)


def _numbers(folder: Path) -> set[int]:
    """The payments in all files together, each of which may stand there only once."""
    lines = [
        line.split(",")[0]
        for file in folder.glob("receipts-*.csv")
        for line in file.read_text().splitlines()[1:]
    ]
    assert len(lines) == len(set(lines))
    return {number for number in range(1, 9) if receipt_key(number) in lines}


def test_another_amount_under_the_same_key_is_refused(system):
    system.post(a_request())

    with pytest.raises(PermanentFailure, match="something else"):
        system.post(replace(a_request(), account="01.9999.9"))
