"""What the sandbox billing system knows: movements, changes, files of its feed, our choices."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
import threading
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.feeds import ChangeField, FeedKind
from domain.money import Money

_TABLES = """
CREATE TABLE IF NOT EXISTS movement (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account_number TEXT NOT NULL, date TEXT NOT NULL,
    type TEXT NOT NULL, amount TEXT NOT NULL, service TEXT NOT NULL, description TEXT NOT NULL,
    reference TEXT NOT NULL, posted_at TEXT NOT NULL, in_balance_due TEXT NOT NULL, file INTEGER
);
CREATE TABLE IF NOT EXISTS change (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account_number TEXT NOT NULL, field TEXT NOT NULL,
    value TEXT NOT NULL, file INTEGER
);
CREATE TABLE IF NOT EXISTS feed_file (
    number INTEGER PRIMARY KEY AUTOINCREMENT, written_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS choice (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
    at TEXT NOT NULL, by TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL
);
"""
_MOVEMENT = (
    "account_number", "date", "type", "amount", "service", "description", "reference",
    "posted_at", "in_balance_due",
)  # fmt: skip
_CHOICE = ("account", "field", "value", "at", "by")


class SandboxBillingBooks:
    """Keeps what it is told in a file of its own; its threads take turns."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        self._turn = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(_TABLES)

    def book(self, movement: Mapping[str, Any]) -> dict[str, Any]:
        """Book a movement, for the next file; raises ValueError with what is wrong with it."""
        values = {name: str(movement.get(name, "")) for name in _MOVEMENT}
        FeedKind(values["type"])
        Money.parse(values["amount"])
        if not values["account_number"] or not values["date"]:
            raise ValueError("account_number and date are needed")
        names, marks = ", ".join(_MOVEMENT), ", ".join("?" * len(_MOVEMENT))
        statement = f"INSERT INTO movement ({names}) VALUES ({marks})"
        with self._turn:
            number = self._connection.execute(statement, list(values.values())).lastrowid
        return {"movement_id": to_movement_id(number or 0)} | values

    def take_receipt(self, entry: Mapping[str, Any], at: datetime) -> None:
        """Book what cash receipting has entered: it comes back with the next file of the feed."""
        is_payment = entry["kind"] == "receipt"
        self.book(
            {
                "account_number": entry["account"],
                "date": entry["taken_on"],
                "type": "fee" if entry["kind"] == "fee" else "payment",
                "amount": f"-{entry['amount']}" if is_payment else entry["amount"],
                "description": f"CASH RECEIPTING {entry['kind'].upper()}",
                "reference": entry["receipt"],
                "posted_at": at.isoformat(timespec="minutes"),
            }
        )

    def change(self, account: str, values: Mapping[str, Any]) -> None:
        """Change fields of an account, for the next file; raises ValueError for another field."""
        rows = [(account, ChangeField(name).value, str(value)) for name, value in values.items()]
        with self._turn:
            self._connection.executemany(
                "INSERT INTO change (account_number, field, value) VALUES (?, ?, ?)", rows
            )

    def write_file(self, written_at: datetime) -> int:
        """Close a file of the feed over all that is in none yet; return its number."""
        with self._turn, self._connection as books:
            books.execute("BEGIN IMMEDIATE")
            number = books.execute(
                "INSERT INTO feed_file (written_at) VALUES (?)",
                (written_at.isoformat(timespec="seconds"),),
            ).lastrowid
            for table in ("movement", "change"):
                books.execute(f"UPDATE {table} SET file = ? WHERE file IS NULL", (number,))
        return number or 0

    def numbers(self, after: int) -> list[int]:
        with self._turn:
            rows = self._connection.execute(
                "SELECT number FROM feed_file WHERE number > ? ORDER BY number", (after,)
            )
            return [row["number"] for row in rows]

    def packed(self, number: int, utility: str = "") -> bytes | None:
        """Return a file of the feed as a .zip, the same bytes each time; None: there is none."""
        with self._turn:
            file = self._rows("feed_file", "number", number)
            movements = self._rows("movement", "file", number)
            changes = self._rows("change", "file", number)
        if not file:
            return None
        amount = Money.total(Money.parse(row["amount"]) for row in movements)
        heading = (
            f'utility = "{utility}"\nsequence = {number}\nwritten_at = {file[0]["written_at"]}\n'
            f'movements = {len(movements)}\namount = "{amount}"\n'
        )
        tables = {"feed.toml": heading.encode(), "movements.csv": _movements_csv(movements)}
        if changes:
            tables["changes.csv"] = _changes_csv(changes)
        return _pack(tables)

    def take(self, number: int, choice: Mapping[str, Any], state: str, reason: str) -> None:
        """Take a choice under its number, once; `state` is what becomes of it."""
        values = [str(choice.get(name, "")) for name in _CHOICE]
        with self._turn:
            self._connection.execute(
                "INSERT INTO choice VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (number, *values, state, reason),
            )

    def decide(self, state: str = "taken") -> None:
        """Let a person there get to what was only told."""
        with self._turn:
            self._connection.execute("UPDATE choice SET state = ? WHERE state = 'told'", (state,))

    def choice(self, number: int) -> dict[str, Any] | None:
        with self._turn:
            found = self._rows("choice", "id", number)
        return dict(found[0]) if found else None

    def choices(self) -> list[dict[str, Any]]:
        with self._turn:
            return [dict(row) for row in self._connection.execute("SELECT * FROM choice")]

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def _rows(self, table: str, column: str, value: int) -> list[sqlite3.Row]:
        query = f"SELECT * FROM {table} WHERE {column} = ? ORDER BY 1"
        return self._connection.execute(query, (value,)).fetchall()


def to_movement_id(number: int) -> str:
    return f"BS{number:08d}"


def _movements_csv(rows: list[sqlite3.Row]) -> bytes:
    lines = [(to_movement_id(row["id"]), *(row[name] for name in _MOVEMENT)) for row in rows]
    return _table(("movement_id", *_MOVEMENT), lines)


def _changes_csv(rows: list[sqlite3.Row]) -> bytes:
    """Write one row an account, its fields beside each other; the last word of each counts."""
    values: dict[str, dict[str, str]] = {}
    for row in rows:
        values.setdefault(row["account_number"], {})[row["field"]] = row["value"] or "-"
    names = [name.value for name in ChangeField if any(name in one for one in values.values())]
    lines = [(account, *(said.get(name, "") for name in names)) for account, said in values.items()]
    return _table(("account_number", *names), lines)


def _table(headings: tuple[str, ...], lines: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([headings, *lines])
    return text.getvalue().encode()


def _pack(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # without a time: the same each time
    return packed.getvalue()
