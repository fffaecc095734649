"""The log of changes that SQLite keeps beside the database of an office's own Prefect server."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

# SQLite begins the log anew only where at that moment nobody reads what stands in it. Readers that
# follow upon each other without a gap let it grow without end, and its file never shrinks. Twice
# what SQLite aims at by itself, 1,000 pages of 4 KiB.
LARGEST_BYTES = 8 << 20
PATIENCE_SECONDS = 2.0  # for readers; the server's own writers wait for 60


def shorten_changes(home: Path) -> None:
    """
    Empty the log where it is above LARGEST_BYTES; what stands in it goes into the database first.

    `home` is the Prefect server's. Its writers wait meanwhile. Where a reader takes longer than
    PATIENCE_SECONDS nothing is lost, and the next call tries again.
    """
    database = home / "prefect.db"
    if not _is_long(database.with_name("prefect.db-wal")):
        return
    with (
        suppress(sqlite3.OperationalError),  # locked: by a server that starts or ends
        closing(sqlite3.connect(database, timeout=PATIENCE_SECONDS)) as connection,
    ):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _is_long(log: Path) -> bool:
    try:
        return log.stat().st_size > LARGEST_BYTES
    except FileNotFoundError:  # a server on PostgreSQL, or one that has ended
        return False
