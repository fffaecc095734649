"""
Which tests do on PostgreSQL only what others do there as well; a plugin that lists them anew.

    .venv/bin/python -m pytest -n 0 -p tests.on_postgres.statements -k postgresql tests/mail ...

Every statement that a folder's tests execute there is still executed by one of those that stay.
Who asks from several threads or processes stays, and who is killed: there it is locks that are
shown. The list is `repeated.txt`; the folders that did not run keep their lines.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from threading import current_thread, main_thread
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests import release

_VALUES = (  # what is written differently with other values, and is the same statement
    (re.compile(r"\d+"), "0"),
    (re.compile(r"%\([^)]*\)s"), "?"),
    (re.compile(r"(\(\?[^()]*\))(, \(\?[^()]*\))+"), r"\1"),
    (re.compile(r"(\?(?:::[A-Z]+)?)(, \?(?:::[A-Z]+)?)+"), r"\1"),
)
_KILLED = re.compile(r"kill|_die|_dead|_once|twice|_race")


@dataclass
class Doings:
    """What a test did on PostgreSQL, all its cases together."""

    test: str
    seconds: float = 0.0
    statements: set[str] = field(default_factory=set)
    shows_locks: bool = False

    @property
    def folder(self) -> str:
        return self.test.split("/")[1]


def repetitions(done: Iterable[Doings]) -> list[str]:
    """Return the tests whose statements those that stay execute as well, the cheapest of them."""
    by_folder = defaultdict(list)
    for one in done:
        by_folder[one.folder].append(one)
    return sorted(test for tests in by_folder.values() for test in _repetitions_of(tests))


def _repetitions_of(tests: list[Doings]) -> set[str]:
    stay = [one for one in tests if one.shows_locks or _KILLED.search(one.test)]
    others = [one for one in tests if one not in stay]
    left = set().union(*(one.statements for one in others))
    left -= set().union(*(one.statements for one in stay))
    while left:
        best = max(others, key=lambda one: len(one.statements & left) / (one.seconds + 0.05))
        stay.append(best)
        left -= best.statements
    return {one.test for one in tests} - {one.test for one in stay}


_all: dict[str, Doings] = {}
_now: Doings | None = None


def pytest_configure() -> None:
    release.repeated = lambda: frozenset()  # type: ignore[assignment]  # all of them run
    event.listen(Engine, "before_cursor_execute", _note)
    BaseProcess.start = _noted(BaseProcess.start)  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    global _now
    _now = _all.setdefault(release.test_of(item), Doings(release.test_of(item)))
    try:
        return (yield)
    finally:
        _now = None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    one = _all.get(report.nodeid.partition("[")[0])
    if one is not None:
        one.seconds += report.duration


def pytest_sessionfinish() -> None:
    ran = {one.folder for one in _all.values()}
    kept = {line for line in release.REPEATED.read_text("utf-8").splitlines()
            if line.split("/")[1] not in ran}  # fmt: skip
    lines = sorted(kept.union(repetitions(one for one in _all.values() if one.statements)))
    release.REPEATED.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _note(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if _now is not None and connection.dialect.name == "postgresql":
        for values, one in _VALUES:
            statement = values.sub(one, statement)
        _now.statements.add(statement)
        _now.shows_locks |= current_thread() is not main_thread()


def _noted(start: Any) -> Any:
    def begin(self: Any) -> Any:
        if _now is not None:
            _now.shows_locks = True
        return start(self)

    return begin
