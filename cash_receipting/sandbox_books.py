"""What the sandbox of a cash-receipting service has booked, in a file of its own."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from domain.money import Money

FIELDS = ("key", "kind", "account", "amount", "method", "confirmation", "taken_on", "reverses")
TABLE = """
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, kind TEXT NOT NULL,
    account TEXT NOT NULL, amount TEXT NOT NULL, method TEXT NOT NULL, confirmation TEXT NOT NULL,
    taken_on TEXT NOT NULL, reverses TEXT
)
"""


class SandboxBooks:
    """Entries in the order in which they came; the same key may stand twice if nobody looks."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        self._turn = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute(TABLE)
        self._connection.execute("CREATE INDEX IF NOT EXISTS entry_by_key ON entry (key)")

    def enter(self, entry: dict[str, Any], *, once: bool) -> tuple[dict[str, Any], bool]:
        """
        Book an entry; return it with its number, and whether it is new.

        `once`: what stands under the key already is returned instead.
        """
        with self._turn:
            known = self._find(entry["key"]) if once else []
            if known:
                return known[0], False
            marks = ", ".join("?" * len(FIELDS))
            values = [entry.get(name) for name in FIELDS]
            self._connection.execute(
                f"INSERT INTO entry ({', '.join(FIELDS)}) VALUES ({marks})", values
            )
            return self._find(entry["key"])[-1], True

    def find(self, key: str) -> list[dict[str, Any]]:
        with self._turn:
            return self._find(key)

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def _find(self, key: str) -> list[dict[str, Any]]:
        query = "SELECT * FROM entry WHERE key = ? ORDER BY number"
        rows = self._connection.execute(query, (key,)).fetchall()
        return [_to_answer(dict(row)) for row in rows]


def fault_of(entry: Any) -> str:
    """Say what is wrong with an entry as it came; empty where nothing is."""
    if not isinstance(entry, dict):
        return "the body is no object"
    for name in FIELDS:
        if not isinstance(entry.get(name), str) and name != "reverses":
            return f"{name} is missing"
    if entry["kind"] not in ("receipt", "reversal", "fee"):
        return "kind is none of receipt, reversal, fee"
    try:
        is_positive = Money.parse(entry["amount"]) > Money(0)
    except ValueError:
        is_positive = False
    return "" if is_positive else "amount is not above zero"


def _to_answer(row: dict[str, Any]) -> dict[str, Any]:
    return {"receipt": f"CR{row.pop('number'):07d}"} | row
