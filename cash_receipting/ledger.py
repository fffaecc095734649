"""The built-in cash receipting: a ledger in a file of its own, for offices without a service."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

from cash_receipting.port import PostingRequest, Receipt, ServiceDown
from database.own_file import OwnFile
from domain.failures import PermanentFailure
from domain.money import Money

TABLE = """
CREATE TABLE IF NOT EXISTS receipt (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (
        kind IN ('receipt', 'reversal', 'fee', 'service-fee', 'service-fee-back')),
    account TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0 AND typeof(cents) = 'integer'),
    method TEXT NOT NULL,
    confirmation TEXT NOT NULL,
    taken_on TEXT NOT NULL,
    reverses INTEGER REFERENCES receipt (number),
    distribution TEXT NOT NULL DEFAULT '',
    payor TEXT NOT NULL DEFAULT '',
    comment TEXT NOT NULL DEFAULT '',
    CHECK ((kind = 'reversal') = (reverses IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS receipt_by_confirmation ON receipt (confirmation);
CREATE INDEX IF NOT EXISTS reversal_by_receipt ON receipt (reverses) WHERE reverses IS NOT NULL
"""

_LEFT = """
    WITH named AS (SELECT number, account, confirmation FROM receipt
        WHERE number = :number AND kind = 'receipt'),
    of_payment AS (SELECT o.number, o.cents FROM receipt o JOIN named n ON o.kind = 'receipt'
        AND (o.number = n.number OR (n.confirmation <> ''
            AND o.confirmation = n.confirmation AND o.account = n.account)))
    SELECT n.account, (SELECT SUM(cents) FROM of_payment) - COALESCE(
        (SELECT SUM(b.cents) FROM receipt b JOIN of_payment p ON b.reverses = p.number), 0)
    FROM named n"""


class LedgerReceipting:
    """
    Cash receipting in one SQLite file that only its owner reads.

    The file is not the office's database: no rollback there undoes what was entered here.
    """

    name = "cash receipting"
    keeps_keys = True
    longest_in_flight = timedelta(0)

    def __init__(self, path: Path) -> None:
        self._file = OwnFile(path, TABLE, name=f"the ledger {path.name}", unusable=ServiceDown)

    def post(self, request: PostingRequest) -> Receipt:
        with self._file.writing() as books:
            known = _find(books, request.key)
            if known is not None:
                return _same(known, request)
            return _enter(books, request)

    def find(self, request: PostingRequest) -> Receipt | None:
        with self._file.writing() as books:
            return _find(books, request.key)

    def hand_over(self) -> None:
        """Do nothing: each posting is entered at once."""

    def check_health(self) -> None:
        with self._file.writing():
            pass

    def close(self) -> None:
        self._file.close()


def _enter(books: sqlite3.Connection, request: PostingRequest) -> Receipt:
    try:
        entered = books.execute(
            "INSERT INTO receipt (key, kind, account, cents, method, confirmation, taken_on,"
            " reverses, distribution, payor, comment)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                request.key,
                request.kind.value,
                request.account,
                request.amount.cents,
                request.method_kind.value,
                request.confirmation,
                request.taken_on.isoformat(),
                None if request.reverses is None else _to_number(books, request),
                request.distribution,
                request.payor,
                request.comment,
            ),
        )
    except sqlite3.IntegrityError as refusal:
        raise PermanentFailure(f"the ledger refuses the posting: {refusal}") from None
    number = f"R{entered.lastrowid:06d}"
    return Receipt(number, request.key, request.account, request.amount)


def _to_number(books: sqlite3.Connection, request: PostingRequest) -> int:
    """
    Return the number of the receipt that is reversed; raises PermanentFailure.

    A receipt may be taken back in parts, as a refund is, and again where money of it was won back:
    never more than all receipts of its payment, which have its confirmation.
    """
    written = (request.reverses or "").removeprefix("R")
    number = int(written) if written.isdecimal() else 0
    row = books.execute(_LEFT, {"number": number}).fetchone()
    if row is None or row[0] != request.account or row[1] < request.amount.cents:
        raise PermanentFailure(f"the ledger has no receipt {request.reverses} of that amount")
    return number


def _find(books: sqlite3.Connection, key: str) -> Receipt | None:
    row = books.execute(
        "SELECT number, account, cents FROM receipt WHERE key = ?", (key,)
    ).fetchone()
    return None if row is None else Receipt(f"R{row[0]:06d}", key, row[1], Money(row[2]))


def _same(known: Receipt, request: PostingRequest) -> Receipt:
    if (known.account, known.amount) != (request.account, request.amount):
        raise PermanentFailure(f"the ledger has something else under this key: {known.number}")
    return known
