"""What is tried before a release alone: more of a kind of which every run tries some."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

WHOLE = "BILLCLOSE_TEST_RELEASE" in os.environ
REPEATED = Path(__file__).parent / "on_postgres" / "repeated.txt"

# A case of its own statement or trigger each, not the same one with other values.
_EACH_CASE = ("tests/database/", "tests/contracts/", "tests/data_checks/test_mutations.py")


def so_many(every_run: int, *, release: int) -> int:
    """Return how many are tried."""
    return release if WHOLE else every_run


def left_for_a_release(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """
    Return the tests marked `release`, and the repetitions on PostgreSQL.

    `release("postgresql")` marks one that every run tries on SQLite.

    A test with many cases runs with all of them on SQLite, on PostgreSQL with the first: there it
    shows that the statements are right, which are the same for the others. The tests of
    `on_postgres/repeated.txt` have no statement there that others of their folder have not.
    """
    seen: set[tuple[Any, ...]] = set()
    left = []
    for item in items:
        test = (item.path, getattr(item, "originalname", item.name))
        is_repeated = _is_on_postgres(item) and (test in seen or test_of(item) in repeated())
        if is_repeated or _is_marked(item):
            left.append(item)
        elif _is_on_postgres(item) and not item.nodeid.startswith(_EACH_CASE):
            seen.add(test)
    return left


@cache
def repeated() -> frozenset[str]:
    """Return the tests that do on PostgreSQL what others do there as well, as `file::name`."""
    return frozenset(REPEATED.read_text("utf-8").splitlines())


def test_of(item: pytest.Item) -> str:
    """Return a test without its cases."""
    return item.nodeid.partition("[")[0]


def _is_marked(item: pytest.Item) -> bool:
    """Tell whether it is marked, for all databases or for PostgreSQL."""
    return any(
        not mark.args or (mark.args == ("postgresql",) and _is_on_postgres(item))
        for mark in item.iter_markers("release")
    )


def _is_on_postgres(item: pytest.Item) -> bool:
    case = getattr(item, "callspec", None)
    return case is not None and case.params.get("database") == "postgresql"
