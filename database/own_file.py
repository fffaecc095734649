"""A SQLite file that some equipment has for itself, beside the office's books."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.failures import OutcomeUnknown, TemporaryFailure

BUSY_SECONDS = 30.0  # how long one process waits for another
PRIVATE = 0o600


class OwnFile:
    """
    One SQLite file, readable by its owner alone, used by threads and by several processes.

    No rollback of the office's books undoes what is in it. Threads of a process take turns at one
    connection: SQLite has one writer anyway, and waiting for a lock here is cheaper than asking
    for it again and again. `name` is what failures call it; `synchronous` is SQLite's pragma.
    """

    def __init__(
        self,
        path: Path,
        tables: str,
        *,
        name: str,
        unusable: type[TemporaryFailure] = TemporaryFailure,
        synchronous: str = "FULL",
    ) -> None:
        self._path = path
        self._tables = tables
        self._name = name
        self._unusable = unusable
        self._synchronous = synchronous
        self._turn = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """
        Open a transaction, committed whole or not at all.

        Raises `unusable` where it could not begin, and OutcomeUnknown where the file failed after
        that.
        """
        with self._turn:
            connection = self._begin()
            try:
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as failure:
                _roll_back(connection)
                raise OutcomeUnknown(f"{self._name} failed: {failure}") from None
            except BaseException:
                _roll_back(connection)
                raise

    def close(self) -> None:
        with self._turn:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _begin(self) -> sqlite3.Connection:
        try:
            if self._connection is None or self._process != os.getpid():  # not a parent's one
                self._connection, self._process = self._open(), os.getpid()
            self._connection.execute("BEGIN IMMEDIATE")
        except (OSError, sqlite3.Error) as failure:
            raise self._unusable(f"{self._name} cannot be used: {failure}") from None
        return self._connection

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE))
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", f"synchronous = {self._synchronous}"):
            connection.execute(f"PRAGMA {pragma}").fetchone()
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(self._tables)
        return connection


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
