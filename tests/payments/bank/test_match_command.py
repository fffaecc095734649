"""`billclose deposits match`: the command beside the page, by the same procedure."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from command_line.commands import deposits as command
from tests.office.health_builders import an_office_at
from tests.payments.bank.bank_files import TWO
from tests.payments.bank.test_keeping import DAY, paid


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    office = an_office_at(tmp_path, database, "2026-11-20T09:00")
    monkeypatch.setattr(command, "open_office", lambda *_: office)

    def run(*words: str):
        return CliRunner().invoke(command.deposits, [*words], obj=tmp_path, standalone_mode=False)

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "nov.bai"
    path.write_text(TWO)
    return str(path)


def test_programs_read_the_file_what_agrees_and_what_does_not(run, file, database):
    paid(database, ("po_1", 100_00, DAY))

    answer = run("match", file, "--json")

    told = json.loads(answer.output)
    assert 4 == answer.return_value
    expected = {"name": "nov.bai", "format": "bai2", "lines": 2, "new": 2, "left_out": 0}
    assert expected | {"first": "2026-11-17", "last": "2026-11-17", "known": False} == told["file"]
    assert (1, "100.00") == (told["matched"], told["amount"])
    (one,) = told["differences"]
    assert ("not-here", "-40.00", "2026-11-17", None) == (
        one["difference"], one["amount"], one["date"], one["deposit"]
    )  # fmt: skip


def test_the_same_file_again_is_nothing_new_and_a_settled_line_is_gone(run, file):
    first = json.loads(run("match", file, "--json").output)["differences"]
    for one in first:
        assert 0 == run("settle", one["item"], "--reason", "a grant").return_value

    again = run("match", file)

    assert 0 == again.return_value
    assert "nov.bai: 2 lines, 0 new, 0 no deposits of ours." in again.output
    assert "0 do not." in again.output


def test_people_read_each_difference_with_its_item(run, file, database):
    paid(database, ("po_7", -41_00, DAY))

    answer = run("match", file)

    assert "near-amount: -$40.00 on 2026-11-17 at the bank, po_7 of -$41.00" in answer.output
    assert "deposits settle ITEM --reason TEXT" in answer.output


def test_before_any_file_there_is_nothing_to_say(run):
    answer = run("match")

    assert (0, "No file of the bank was taken in yet.\n") == (answer.return_value, answer.output)


def test_a_file_that_is_not_there_is_said(run):
    answer = run("match", "no-such.bai")

    assert "no-such.bai cannot be read" in str(answer.exception)
