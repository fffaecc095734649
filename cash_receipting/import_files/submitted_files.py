"""What was handed to a folder of import files: each posting, its file, and what was answered."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from cash_receipting.port import PostingRequest, Receipt, ServiceDown
from database.own_file import OwnFile
from domain.money import Money

TABLES = """
CREATE TABLE IF NOT EXISTS batch (
    batch INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL DEFAULT '',
    sha256 TEXT NOT NULL DEFAULT '', is_out INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS item (
    key TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, cents INTEGER NOT NULL CHECK (cents > 0),
    line TEXT NOT NULL, batch INTEGER REFERENCES batch (batch), receipt TEXT, refusal TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_by_batch ON item (batch);
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One posting; `batch` None: it waits for a file; `refusal` None: it was not refused."""

    key: str
    account: str
    amount: Money
    line: str
    batch: int | None
    receipt: str | None
    refusal: str | None

    def to_receipt(self) -> Receipt | None:
        if self.receipt is None:
            return None
        return Receipt(self.receipt, self.key, self.account, self.amount)


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A file that is not surely out: without a name it was not yet written to the end."""

    batch: int
    name: str
    sha256: str


class SubmittedFiles:
    """The adapter's own SQLite file: what it holds does not depend on the office's books."""

    def __init__(self, path: Path) -> None:
        self._file = OwnFile(path, TABLES, name=path.name, unusable=ServiceDown)

    def put(self, request: PostingRequest, line: str) -> Item:
        """Note a posting once; one that was refused waits anew."""
        with self._file.writing() as books:
            books.execute(
                "INSERT INTO item (key, account, cents, line) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET account = excluded.account,"
                " cents = excluded.cents, line = excluded.line, batch = NULL, refusal = NULL"
                " WHERE item.refusal IS NOT NULL",
                (request.key, request.account, request.amount.cents, line),
            )
            return _items(books, "key = ?", request.key)[0]

    def find(self, key: str) -> Item | None:
        with self._file.writing() as books:
            found = _items(books, "key = ?", key)
            return found[0] if found else None

    def open_batches(self) -> list[OpenBatch]:
        """Put what waits into a batch of its own; return all that are not out."""
        with self._file.writing() as books:
            if books.execute("SELECT 1 FROM item WHERE batch IS NULL").fetchone():
                batch = books.execute("INSERT INTO batch DEFAULT VALUES").lastrowid
                books.execute("UPDATE item SET batch = ? WHERE batch IS NULL", (batch,))
            rows = books.execute("SELECT batch, name, sha256 FROM batch WHERE NOT is_out")
            return [OpenBatch(*row) for row in rows.fetchall()]

    def items_of(self, batch: int) -> list[Item]:
        with self._file.writing() as books:
            return _items(books, "batch = ?", batch)

    def name_batch(self, batch: int, name: str, sha256: str) -> None:
        with self._file.writing() as books:
            books.execute(
                "UPDATE batch SET name = ?, sha256 = ? WHERE batch = ?", (name, sha256, batch)
            )

    def mark_out(self, batch: int) -> None:
        with self._file.writing() as books:
            books.execute("UPDATE batch SET is_out = 1 WHERE batch = ?", (batch,))

    def answer(self, answers: list[tuple[str | None, str | None, str]]) -> None:
        """Record answers as (receipt, refusal, key); the first answer of each stands."""
        with self._file.writing() as books:
            books.executemany(
                "UPDATE item SET receipt = ?, refusal = ?"
                " WHERE key = ? AND batch IS NOT NULL AND receipt IS NULL AND refusal IS NULL",
                answers,
            )

    def close(self) -> None:
        self._file.close()


def _items(books: sqlite3.Connection, condition: str, value: object) -> list[Item]:
    rows = books.execute(
        "SELECT key, account, cents, line, batch, receipt, refusal FROM item"
        f" WHERE {condition} ORDER BY key",
        (value,),
    ).fetchall()
    return [Item(key, account, Money(cents), *rest) for key, account, cents, *rest in rows]
