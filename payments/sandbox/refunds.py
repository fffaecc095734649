"""Draws of the sandbox that we ask it to give back."""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from datetime import date, datetime

from domain.failures import PermanentFailure
from domain.money import Money
from payments.port import LateEventKind, Refunded
from payments.sandbox.events import happen
from payments.sandbox.store import fingerprint_of, use, used


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
