"""What happens to the sandbox's draws after they were answered: by itself, or at its desk."""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterator
from datetime import date, datetime, timedelta

from domain.money import Money
from payments.port import LateEvent, LateEventKind
from payments.sandbox.settlements import record_movement, to_reference
from payments.sandbox.store import from_text, to_text

ANSWER_WITHIN = timedelta(days=14)  # of a dispute
DISPUTE_FEE = 15_00  # cents; taken out of the payout, and the office's own cost
TAKES = (LateEventKind.RETURNED, LateEventKind.CHARGED_BACK, LateEventKind.REFUNDED)
GIVES = (LateEventKind.REINSTATED, LateEventKind.REFUND_FAILED)


def happen(
    books: sqlite3.Connection,
    draw: sqlite3.Row,
    kind: LateEventKind,
    cents: int,
    moment: datetime,
    closed: Container[date],
    code: str = "",
    refund_key: str = "",
) -> int:
    """
    Let something happen to a draw at a moment, and its money go with it; return its number.

    It is told from that moment on, and stands in the payout of that day's batch.
    """
    fee = DISPUTE_FEE if kind is LateEventKind.CHARGED_BACK else 0
    if kind in TAKES:
        record_movement(books, draw, -cents, fee, moment, closed)
    elif kind in GIVES:
        record_movement(books, draw, cents, 0, moment, closed)
    return record_event(books, draw, kind, cents, moment, code, refund_key, fee)


def record_event(
    books: sqlite3.Connection,
    draw: sqlite3.Row,
    kind: LateEventKind,
    cents: int,
    moment: datetime,
    code: str = "",
    refund_key: str = "",
    fee: int = 0,
) -> int:
    """Write down what is told of a draw from a moment on; no money goes with it."""
    number = books.execute(
        "INSERT INTO event (draw, kind, code, happened_at, cents, refund_key, fee)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (draw["id"], kind, code, to_text(moment), cents, refund_key, fee),
    ).lastrowid
    return number or 0


def read_events(books: sqlite3.Connection, since: datetime, now: datetime) -> Iterator[LateEvent]:
    """Yield what happened to draws after they were answered, from a moment until now."""
    rows = books.execute(
        "SELECT event.*, draw.key AS draw_key FROM event JOIN draw ON draw.id = event.draw"
        " WHERE happened_at BETWEEN ? AND ? ORDER BY happened_at, event.id",
        (to_text(since), to_text(now)),
    )
    for row in rows:
        kind, happened_at = LateEventKind(row["kind"]), from_text(row["happened_at"])
        is_dispute = kind is LateEventKind.CHARGED_BACK
        yield LateEvent(
            f"SBE{row['id']:08d}",
            kind,
            row["draw_key"],
            to_reference(row["draw"]),
            Money(row["cents"]),
            row["code"],
            happened_at,
            row["refund_key"],
            Money(row["fee"]),
            happened_at + ANSWER_WITHIN if is_dispute else None,
        )
