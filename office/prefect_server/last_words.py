"""Why a Prefect server of our own did not come up: what its log and its disk say."""

from __future__ import annotations

import shutil
from pathlib import Path

FULL_BYTES = 65_536  # less than this is free: SQLite and Prefect write no more
READ_BYTES = 65_536  # of the log's end; more is not looked at
# What Prefect, SQLite and the system print, in lower case, and what it means; the first that fits.
# The log itself is never repeated: it may name a database with its password.
_SAID = (
    ("no space left on device", "the disk is full"),
    ("disk is full", "the disk is full"),
    ("quota exceeded", "the disk is full"),
    ("is already in use", "its port is in use by another program"),
    ("address already in use", "its port is in use by another program"),
    ("readonly database", "its database may only be read"),
    ("read-only file system", "the disk may only be read"),
    ("unable to open database file", "its database cannot be opened"),
    ("permission denied", "it may not write in its folder or take its port"),
    ("operation not permitted", "it may not write in its folder or take its port"),
    ("file is not a database", "its database is damaged"),
    ("disk image is malformed", "its database is damaged"),
    ("can't locate revision", "its database is of a newer Prefect"),
    ("database is locked", "another program holds its database"),
    ("password authentication failed", "the database refuses the name or the password"),
    ("invalidpassworderror", "the database refuses the name or the password"),
    ("certificate_verify_failed", "the certificate of its database is not valid"),
    ("certificate verify failed", "the certificate of its database is not valid"),
    ("connection refused", "its database does not answer"),
    ("could not connect", "its database does not answer"),
    ("memoryerror", "there is not enough memory"),
    ("cannot allocate memory", "there is not enough memory"),
)


def why_it_ended(log: Path, start: int = 0) -> str:
    """
    Say why the server did not come up, by what its log holds from octet `start` on; or nothing.

    A log on a full disk is empty, so the disk is asked before it.
    """
    try:
        if shutil.disk_usage(log.parent).free < FULL_BYTES:
            return "the disk is full"
        text = _end_of(log, start).lower()
    except OSError:
        return ""
    return next((meaning for said, meaning in _SAID if said in text), "")


def size_of(log: Path) -> int:
    """Return how many octets a log has; 0 where there is none."""
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def _end_of(log: Path, start: int) -> str:
    size = size_of(log)
    begin = start if start <= size else 0  # it was begun anew meanwhile
    with log.open("rb") as opened:
        opened.seek(max(begin, size - READ_BYTES))
        return " ".join(opened.read().decode("utf-8", "replace").split())
