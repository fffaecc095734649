"""The keys that the sandbox gateway keeps: asked again under one, it answers as before."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import datetime, timedelta

from payments.gateway import DrawRequest, GatewayMisuse
from payments.sandbox_store import from_text, to_text

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
