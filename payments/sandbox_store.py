"""The sandbox gateway's own database: no rollback of the office's books undoes what is in it."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.failures import OutcomeUnknown, TemporaryFailure

BUSY_SECONDS = 30.0  # how long one process waits for another
TABLES = """
CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), set_to TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS draw (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
    account TEXT NOT NULL, method TEXT NOT NULL, kind TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0),
    state TEXT NOT NULL CHECK (state IN ('prepared', 'approved', 'declined', 'voided')),
    code TEXT NOT NULL DEFAULT '', decided_at TEXT,
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND cents)
);
CREATE INDEX IF NOT EXISTS draw_by_key ON draw (key);
CREATE INDEX IF NOT EXISTS declined_draws ON draw (account, method) WHERE state = 'declined';
CREATE TABLE IF NOT EXISTS used_key (
    scope TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, used_at TEXT NOT NULL,
    draw INTEGER NOT NULL, answer TEXT NOT NULL DEFAULT '', PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS on_its_way (
    id INTEGER PRIMARY KEY AUTOINCREMENT, draw INTEGER NOT NULL, arrives_at TEXT NOT NULL,
    in_work INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, draw INTEGER NOT NULL, kind TEXT NOT NULL,
    code TEXT NOT NULL, happened_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_by_moment ON event (happened_at);
CREATE TABLE IF NOT EXISTS movement (
    id INTEGER PRIMARY KEY AUTOINCREMENT, draw INTEGER NOT NULL, cents INTEGER NOT NULL,
    fee INTEGER NOT NULL, batch_on TEXT NOT NULL, pays_out_on TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS movement_by_day ON movement (pays_out_on);
CREATE INDEX IF NOT EXISTS movement_by_draw ON movement (draw);
"""


class SandboxStore:
    """
    One SQLite file, readable by its owner alone, used by threads and by several processes.

    Threads of a process take turns at one connection: SQLite has one writer anyway, and waiting
    for a lock here is cheaper than asking for it again and again. A power cut may lose the last
    draws of a sandbox, so nothing is forced to disk.
    """

    def __init__(self, path: Path, wall: Callable[[], datetime]) -> None:
        self._path = path
        self._wall = wall
        self._turn = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """
        Open a transaction, committed whole or not at all.

        Raises TemporaryFailure where it could not begin, and OutcomeUnknown where the database
        failed after that.
        """
        with self._turn:
            connection = self._begin()
            try:
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as failure:
                _roll_back(connection)
                raise OutcomeUnknown(f"The sandbox gateway's database failed: {failure}.") from None
            except BaseException:
                _roll_back(connection)
                raise

    def now(self, books: sqlite3.Connection) -> datetime:
        """Return the gateway's moment in UTC: what its clock was set to, else the wall's."""
        row = books.execute("SELECT set_to FROM clock").fetchone()
        return from_text(row[0]) if row else self._wall().astimezone(UTC)

    def set_clock(self, moment: datetime | None) -> None:
        """Stop the gateway's clock at a moment; None lets it follow the wall again."""
        with self.writing() as books:
            books.execute("DELETE FROM clock")
            if moment is not None:
                books.execute("INSERT INTO clock VALUES (1, ?)", (to_text(moment),))

    def move_clock(self, by: timedelta) -> None:
        """Stop the gateway's clock so much later than it stands or goes now."""
        with self.writing() as books:
            later = to_text(self.now(books) + by)
            books.execute("INSERT OR REPLACE INTO clock VALUES (1, ?)", (later,))

    def close(self) -> None:
        with self._turn:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _begin(self) -> sqlite3.Connection:
        try:
            if self._connection is None or self._process != os.getpid():  # not a parent's one
                self._connection, self._process = _open(self._path), os.getpid()
            self._connection.execute("BEGIN IMMEDIATE")
        except (OSError, sqlite3.Error) as failure:
            raise TemporaryFailure(f"The sandbox gateway cannot be reached: {failure}.") from None
        return self._connection


def to_text(moment: datetime) -> str:
    """Write a moment so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(TABLES)
    return connection


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
