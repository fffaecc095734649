"""A process that makes a plan or lives a night of plans, and is killed at a step of it."""

from __future__ import annotations

import os
import signal
from typing import Any

import sqlalchemy as sa

from database.books import Database
from tests.forked import forks, load_before_forks
from tests.payments.arrangements import test_arranging as steps

load_before_forks(__name__)


def die_in(work: str, url: str, before: str) -> int:
    """Let a process do a work and be killed before a statement; return its exit code."""
    process = forks().Process(target=_work, args=(work, url, before))
    process.start()
    process.join(60)
    return process.exitcode or 0


def _work(work: str, url: str, before: str) -> None:
    books = Database(url)

    def die_at_statement(*given: Any) -> None:
        if given[2].startswith(before):
            os.kill(os.getpid(), signal.SIGKILL)

    def die_at_commit(_connection: sa.Connection) -> None:
        if before == "COMMIT":
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(books.engine, "before_cursor_execute", die_at_statement)
    sa.event.listen(books.engine, "commit", die_at_commit)
    if work == "make":
        steps.plan(books)
    else:
        steps.night(books, "2026-12-09")
