"""Draws of the sandbox that we ask it to give back, or to forget before they settle."""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from datetime import date, datetime

from domain.failures import PermanentFailure
from domain.money import Money
from payments.port import LateEventKind, Refunded
from payments.sandbox.events import happen
from payments.sandbox.settlements import banking_day
from payments.sandbox.store import fingerprint_of, to_text, use, used

DONE, TOO_LATE = "done", "too late"


def refund_draw(
    books: sqlite3.Connection,
    draw: sqlite3.Row,
    amount: Money,
    key: str,
    now: datetime,
    closed: Container[date],
) -> Refunded:
    """
    Give back a draw or a part of it.

    Raises PermanentFailure where less than that is left to give back.
    """
    fingerprint = fingerprint_of(draw["id"], amount.cents)
    kept = used(books, "refund", key, fingerprint, now)
    if kept is not None:
        return Refunded(kept["answer"], amount)
    left = draw["cents"] - draw["refunded"] if draw["state"] == "approved" else 0
    if not 0 < amount.cents <= left:
        raise PermanentFailure(f"Of this payment {Money(left)} can be refunded, not {amount}.")
    refunded = draw["refunded"] + amount.cents
    books.execute("UPDATE draw SET refunded = ? WHERE id = ?", (refunded, draw["id"]))
    number = happen(books, draw, LateEventKind.REFUNDED, amount.cents, now, closed, refund_key=key)
    reference = f"SBR{number:08d}"
    use(books, "refund", key, fingerprint, now, draw["id"], reference)
    return Refunded(reference, amount)


def void_draw(
    books: sqlite3.Connection, draw: sqlite3.Row, key: str, now: datetime, closed: Container[date]
) -> bool:
    """Take back a draw whose batch is open, or one that was only prepared."""
    fingerprint = fingerprint_of(draw["id"])
    kept = used(books, "void", key, fingerprint, now)
    if kept is not None:
        return bool(kept["answer"] == DONE)
    may = draw["state"] in ("prepared", "voided") or _is_open(books, draw, now, closed)
    if may:
        _forget(books, draw, now)
    use(books, "void", key, fingerprint, now, draw["id"], DONE if may else TOO_LATE)
    return may


def _is_open(
    books: sqlite3.Connection, draw: sqlite3.Row, now: datetime, closed: Container[date]
) -> bool:
    if draw["state"] != "approved" or draw["refunded"]:
        return False
    first = books.execute(
        "SELECT batch_on FROM movement WHERE draw = ? ORDER BY id LIMIT 1", (draw["id"],)
    ).fetchone()
    return bool(first["batch_on"] == banking_day(now, closed).isoformat())


def _forget(books: sqlite3.Connection, draw: sqlite3.Row, now: datetime) -> None:
    """Take a draw out of its batch, with what would have come of it."""
    books.execute(
        "UPDATE draw SET state = 'voided', decided_at = ? WHERE id = ? AND state <> 'voided'",
        (to_text(now), draw["id"]),
    )
    books.execute("DELETE FROM movement WHERE draw = ?", (draw["id"],))
    books.execute(
        "DELETE FROM event WHERE draw = ? AND happened_at > ?", (draw["id"], to_text(now))
    )
