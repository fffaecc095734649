"""The list of what repeats on PostgreSQL: right where it is made, and of tests that there are."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.on_postgres.statements import Doings, repetitions
from tests.release import repeated

ROOT = Path(__file__).parents[2]


def did(name, *statements, seconds=1.0, shows_locks=False):
    return Doings(f"tests/mail/test_x.py::test_{name}", seconds, set(statements), shows_locks)


def names(tests):
    return [test.partition("::test_")[2] for test in tests]


def test_each_statement_is_still_executed_by_the_cheapest():
    dear = did("dear", "a", "b", seconds=9.0)
    cheap = did("cheap", "a", "b", seconds=1.0)
    other = did("other", "c", seconds=1.0)

    assert ["dear"] == names(repetitions([dear, cheap, other]))


def test_whoever_is_killed_or_shows_locks_stays():
    killed, beside = did("killed", "a"), did("beside", "a", shows_locks=True)

    assert ["again"] == names(repetitions([did("again", "a"), killed, beside]))


def test_another_folders_tests_make_up_for_none():
    elsewhere = Doings("tests/office/test_x.py::test_same", 0.1, {"a"})

    assert [] == repetitions([did("here", "a"), elsewhere])


def test_whoever_is_named_is_there():
    """By its new name it would run each time: make the list anew."""
    found = {
        f"{file}::{one.name}"
        for file in {test.partition("::")[0] for test in repeated()}
        if (ROOT / file).is_file()
        for one in ast.walk(ast.parse((ROOT / file).read_text("utf-8")))
        if isinstance(one, ast.FunctionDef)
    }

    assert set() == repeated() - found
