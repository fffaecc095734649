"""A SQLite file that some equipment has for itself, beside the office's books."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from domain.failures import OutcomeUnknown, TemporaryFailure

T = TypeVar("T")
BUSY_SECONDS = 30.0  # how long one process waits for another
PAUSE_SECONDS = 0.02
PRIMARY_CODE = 0xFF  # an extended result code of SQLite has its kind in the lowest octet
HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)
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
            return waiting_for_others(self._begin_once)
        except (OSError, sqlite3.Error) as failure:
            raise self._unusable(f"{self._name} cannot be used: {failure}") from None

    def _begin_once(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():  # not a parent's one
            self._connection, self._process = self._open(), os.getpid()
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE))
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode = WAL", f"synchronous = {self._synchronous}"):
                connection.execute(f"PRAGMA {pragma}").fetchone()
            connection.execute("PRAGMA foreign_keys = ON")
            tables = self._tables.rstrip().removesuffix(";")
            connection.executescript(f"BEGIN IMMEDIATE;\n{tables};\nCOMMIT;")
        except BaseException:
            connection.close()
            raise
        return connection


def waiting_for_others(begin: Callable[[], T], seconds: float = BUSY_SECONDS) -> T:
    """
    Do what opens a SQLite file or a transaction, again for so long as another process holds it.

    SQLite waits by itself for a writer, but says "locked" at once while another process makes the
    file, takes in what a killed one left behind, or tidies up as the last one to close it.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return begin()
        except sqlite3.OperationalError as failure:
            if failure.sqlite_errorcode & PRIMARY_CODE not in HELD or time.monotonic() >= end:
                raise
        time.sleep(PAUSE_SECONDS)


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
