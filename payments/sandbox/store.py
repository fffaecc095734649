"""The sandbox gateway's own database: no rollback of the office's books undoes what is in it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from database.own_file import OwnFile
from payments.port import DrawRequest, GatewayMisuse

TABLES = """
CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), set_to TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS draw (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
    account TEXT NOT NULL, method TEXT NOT NULL, kind TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0),
    state TEXT NOT NULL CHECK (state IN ('prepared', 'approved', 'declined')),
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
    code TEXT NOT NULL, happened_at TEXT NOT NULL, cents INTEGER NOT NULL CHECK (cents > 0),
    refund_key TEXT NOT NULL DEFAULT '', fee INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS event_by_moment ON event (happened_at);
CREATE TABLE IF NOT EXISTS bank_page (
    key TEXT PRIMARY KEY, draw INTEGER NOT NULL UNIQUE, returns_to TEXT NOT NULL,
    answer TEXT NOT NULL DEFAULT '' CHECK (answer IN ('', 'yes', 'no'))
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS movement (
    id INTEGER PRIMARY KEY AUTOINCREMENT, draw INTEGER NOT NULL, cents INTEGER NOT NULL,
    fee INTEGER NOT NULL, batch_on TEXT NOT NULL, pays_out_on TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS movement_by_day ON movement (pays_out_on);
CREATE INDEX IF NOT EXISTS movement_by_draw ON movement (draw);
"""


class SandboxStore:
    """
    The gateway's clock, and one SQLite file that threads and several processes use.

    A power cut may lose the last draws of a sandbox, so nothing is forced to disk.
    """

    def __init__(self, path: Path, wall: Callable[[], datetime]) -> None:
        self._file = OwnFile(path, TABLES, name="the sandbox gateway", synchronous="OFF")
        self._wall = wall

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """
        Open a transaction, committed whole or not at all.

        Raises TemporaryFailure where it could not begin, and OutcomeUnknown where the database
        failed after that.
        """
        return self._file.writing()

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
        self._file.close()


def to_text(moment: datetime) -> str:
    """Write a moment so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(written: str) -> datetime:
    return datetime.fromisoformat(written)


KEY_WINDOW = timedelta(hours=24)  # by the gateway's own clock


def fingerprint_of(*parts: str | int) -> str:
    """Return what a key is compared by: another one under the same key is a misuse."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def of_request(request: DrawRequest) -> str:
    return fingerprint_of(
        request.account, request.method_token, request.method_kind, request.amount.cents
    )


def used(
    books: sqlite3.Connection, scope: str, key: str, fingerprint: str, now: datetime
) -> sqlite3.Row | None:
    """
    Return what is kept under a key; None where it was not used or its window is over.

    Raises GatewayMisuse where it was used for something else.
    """
    row: sqlite3.Row | None = books.execute(
        "SELECT * FROM used_key WHERE scope = ? AND key = ?", (scope, key)
    ).fetchone()
    if row is None or now - from_text(row["used_at"]) >= KEY_WINDOW:
        return None
    if row["fingerprint"] != fingerprint:
        raise GatewayMisuse(f"The key {key} was used with other parameters; nothing was done.")
    return row


def use(
    books: sqlite3.Connection,
    scope: str,
    key: str,
    fingerprint: str,
    now: datetime,
    draw: int,
    answer: str = "",
) -> None:
    """Keep a key with its answer, in place of what was kept before its window was over."""
    books.execute(
        "INSERT OR REPLACE INTO used_key VALUES (?, ?, ?, ?, ?, ?)",
        (scope, key, fingerprint, to_text(now), draw, answer),
    )
