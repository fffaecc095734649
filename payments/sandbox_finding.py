"""What the sandbox gateway knows: draws by their number or key, and late events."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from domain.failures import PermanentFailure
from domain.money import Money
from payments.gateway import (
    Answer,
    DrawRequest,
    DrawResult,
    EventKind,
    GatewayMisuse,
    LateEvent,
)
from payments.sandbox_drawing import find_draw, to_result
from payments.sandbox_keys import of_request, use, used
from payments.sandbox_settlements import to_number, to_reference
from payments.sandbox_store import from_text, to_text
from payments.sandbox_tokens import method_of


def prepare_draw(books: sqlite3.Connection, request: DrawRequest, now: datetime) -> int:
    """Write a draw down and return its number, the same again while its key is kept."""
    if request.amount.cents <= 0:
        raise GatewayMisuse(f"A draw of {request.amount} was asked for; nothing was done.")
    fingerprint = of_request(request)
    kept = used(books, "prepare", request.key, fingerprint, now)
    if kept is not None:
        return int(kept["draw"])
    number = books.execute(
        "INSERT INTO draw (key, fingerprint, account, method, kind, cents, state)"
        " VALUES (?, ?, ?, ?, ?, ?, 'prepared')",
        (
            request.key,
            fingerprint,
            request.account,
            method_of(request.method_token),
            request.method_kind,
            request.amount.cents,
        ),
    ).lastrowid
    use(books, "prepare", request.key, fingerprint, now, number or 0)
    return number or 0


def announced(books: sqlite3.Connection, reference: str, request: DrawRequest) -> sqlite3.Row:
    """Return the draw that was prepared; raises GatewayMisuse where it was not, or otherwise."""
    draw = _numbered(books, reference)
    if draw is None or draw["fingerprint"] != of_request(request) or draw["key"] != request.key:
        raise GatewayMisuse(
            f"The draw {request.key} was not prepared like this as {reference}; nothing was done."
        )
    return draw


def taken(books: sqlite3.Connection, reference: str) -> sqlite3.Row:
    """Return a draw; raises PermanentFailure where the gateway has none of that number."""
    draw = _numbered(books, reference)
    if draw is None:
        raise PermanentFailure(f"The payment gateway knows no payment {reference}.")
    return draw


def find(books: sqlite3.Connection, request: DrawRequest, reference: str | None) -> DrawResult:
    """
    Say what became of a draw under its key; of several, the one that took money.

    Raises GatewayMisuse where the reference is that of another draw.
    """
    draw = _numbered(books, reference) if reference else None
    if draw is not None and draw["key"] != request.key:
        raise GatewayMisuse(f"The payment {reference} is not that of the draw {request.key}.")
    if draw is None or draw["state"] != "approved":
        draw = find_draw(books, request.key)
    return DrawResult(Answer.NOT_FOUND) if draw is None else to_result(draw)


def read_events(books: sqlite3.Connection, since: datetime, now: datetime) -> Iterator[LateEvent]:
    """Yield what happened to draws after they were answered, from a moment until now."""
    rows = books.execute(
        "SELECT event.*, draw.key AS draw_key, cents FROM event JOIN draw ON draw.id = event.draw"
        " WHERE happened_at BETWEEN ? AND ? ORDER BY happened_at, event.id",
        (to_text(since), to_text(now)),
    )
    for row in rows:
        yield LateEvent(
            f"SBE{row['id']:08d}",
            EventKind(row["kind"]),
            row["draw_key"],
            to_reference(row["draw"]),
            Money(row["cents"]),
            row["code"],
            from_text(row["happened_at"]),
        )


def _numbered(books: sqlite3.Connection, reference: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = books.execute(
        "SELECT * FROM draw WHERE id = ?", (to_number(reference),)
    ).fetchone()
    return row
