"""The clerk's desk: commands given in this process to an office beside one Prefect server."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect.settings import Settings

AS_OF = "2026-11-02T09:00"
TELLS_LOGS = "PREFECT_LOGGING_TO_API_ENABLED"


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def sentences(self) -> list[str]:
        """What it said went wrong."""
        return [line for line in self.err.splitlines() if line.startswith("billclose: ")]


@dataclass(frozen=True)
class Desk:
    """Commands for one home; `settings` are of the environment, the Prefect server among them."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: object, **settings: str) -> Answer:
        from command_line.main import run

        words = [str(word) for word in ("--home", self.home, *arguments)]
        with (
            self._environment(settings),
            _caught(1, contextlib.redirect_stdout) as out,
            _caught(2, contextlib.redirect_stderr) as err,
        ):
            status = run(words)
            return Answer(status, _read(out), _read(err))

    def close(self, *arguments: object, as_of: str = AS_OF, **settings: str) -> Answer:
        return self("close", *arguments, "--as-of", as_of, "--json", **settings)

    def rows(self, what: str, *conditions: str) -> list[dict[str, Any]]:
        """What a list shows."""
        where = [word for condition in conditions for word in ("--where", condition)]
        answer = self("list", what, "--json", *where)
        assert answer.status == 0, answer.err
        rows: list[dict[str, Any]] = answer.json
        return rows

    def copied(self, home: Path) -> Desk:
        """The same office in a home of its own, for a test that changes it."""
        shutil.copytree(self.home, home)
        return Desk(home, self.settings)

    def files(self) -> dict[str, str]:
        """
        Hash everything that the home holds, the books by their rows.

        Left out is what tells of the running itself: logs, and the database's own journal.
        """
        found = {}
        for path in sorted(self.home.rglob("*")):
            name = str(path.relative_to(self.home))
            is_technical = name.startswith(("logs/", "prefect/")) or name.endswith(("-wal", "-shm"))
            if path.is_file() and not is_technical:
                is_books = name == "billclose.db"
                content = self.books().encode() if is_books else path.read_bytes()
                found[name] = hashlib.sha256(content).hexdigest()
        return found

    def books(self) -> str:
        with contextlib.closing(sqlite3.connect(self.home / "billclose.db")) as books:
            return "\n".join(books.iterdump())

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.home / "billclose.db")) as books:
            return books.execute(sql).fetchall()

    @contextlib.contextmanager
    def _environment(self, settings: dict[str, str]) -> Iterator[None]:
        wanted = self.settings | settings
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            logs = TELLS_LOGS in wanted
            with at_server(self.settings.get("PREFECT_API_URL", ""), logs=logs):
                yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


@contextlib.contextmanager
def at_server(api_url: str, *, logs: bool = False) -> Iterator[None]:
    """
    Point Prefect to a server, whether or not it was imported before.

    The server is told the `logs` only where somebody looks at them there.
    """
    if not api_url:
        yield
        return
    from prefect.context import SettingsContext, get_settings_context

    around = get_settings_context()
    with SettingsContext(profile=around.profile, settings=_settings_at(api_url, logs)):
        yield


@cache
def _settings_at(api_url: str, logs: bool) -> Settings:
    """
    Settings are put together once for a server: that takes as long as many a command.

    Nobody reads heartbeats here, and each flow ends only when their thread next wakes up: that is
    every second.
    """
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        get_current_settings,
    )

    updates = {
        PREFECT_API_URL: api_url,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_LOGGING_TO_API_ENABLED: logs,
    }
    return get_current_settings().copy_with_update(updates=updates)


@contextlib.contextmanager
def _caught(number: int, redirected: Callable[..., Any]) -> Iterator[IO[str]]:
    """Catch what is written to an output, by Python or below it."""
    saved = os.dup(number)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        os.dup2(file.fileno(), number)
        try:
            with redirected(file):
                yield file
        finally:
            os.dup2(saved, number)
            os.close(saved)


def _read(file: IO[str]) -> str:
    file.flush()
    file.seek(0)
    return file.read()
