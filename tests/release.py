"""What is tried before a release alone: more of a kind of which every run tries some."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

WHOLE = "BILLCLOSE_TEST_RELEASE" in os.environ

# A case of its own statement or trigger each, not the same one with other values.
_EACH_CASE = ("tests/database/", "tests/contracts/", "tests/data_checks/test_mutations.py")


def so_many(every_run: int, *, release: int) -> int:
    """Return how many are tried."""
    return release if WHOLE else every_run


def left_for_a_release(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """
    Return the tests marked `release`, and the repetitions on PostgreSQL.

    A test with many cases runs with all of them on SQLite, on PostgreSQL with the first: there it
    shows that the statements are right, which are the same for the others.
    """
    seen: set[tuple[Any, ...]] = set()
    left = []
    for item in items:
        test = (item.path, getattr(item, "originalname", item.name))
        is_repeated = _is_on_postgres(item) and test in seen
        if _is_on_postgres(item) and not item.nodeid.startswith(_EACH_CASE):
            seen.add(test)
        if is_repeated or item.get_closest_marker("release"):
            left.append(item)
    return left


def _is_on_postgres(item: pytest.Item) -> bool:
    case = getattr(item, "callspec", None)
    return case is not None and case.params.get("database") == "postgresql"
