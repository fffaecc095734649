"""Two sessions on PostgreSQL, one of which begins before the other has committed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from database.books import Database

_WAITING = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@dataclass
class Session:
    """What one session does in its transaction."""

    books: Database
    act: Callable[[Any], Any]

    def run(self) -> Any:
        with self.books.writing() as books:
            return self.act(books)


def together(database: Database, first: Callable[[Any], Any], second: Callable[[], Any]) -> Any:
    """Let the second begin while the first is written and not committed; the first goes first."""
    outcome: list[Any] = []
    thread = threading.Thread(target=lambda: outcome.append(second()))
    with database.writing() as books:
        first(books)
        thread.start()
        wait_until(lambda: is_anybody_waiting(database) or not thread.is_alive())
    thread.join()
    return outcome[0]


def is_anybody_waiting(database: Database) -> bool:
    with database.reading() as books:
        return bool(books.exec_driver_sql(_WAITING).scalar())


def wait_until(claim: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "nobody waited"
        time.sleep(0.01)
