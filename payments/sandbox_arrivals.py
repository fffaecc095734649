"""Requests to the sandbox gateway that are still on their way, or in work, when time goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from datetime import date, datetime, timedelta

from domain.failures import OutcomeUnknown
from payments.gateway import EventKind, GatewayMisuse
from payments.sandbox_drawing import get_draw, land, record_event
from payments.sandbox_store import from_text, to_text

LEASE = timedelta(seconds=60)  # in work for so long, a request lands without its caller


def send_late(
    books: sqlite3.Connection, draw: sqlite3.Row, now: datetime, delay: timedelta
) -> None:
    """Let a request arrive by itself after a while; until then the gateway knows nothing of it."""
    books.execute(
        "INSERT INTO on_its_way (draw, arrives_at, in_work) VALUES (?, ?, 0)",
        (draw["id"], to_text(now + delay)),
    )


def take_into_work(books: sqlite3.Connection, draw: sqlite3.Row, now: datetime) -> None:
    """
    Mark a draw as being worked on.

    Raises OutcomeUnknown where another request under its key is in work.
    """
    is_busy = books.execute(
        "SELECT 1 FROM on_its_way JOIN draw ON draw.id = on_its_way.draw"
        " WHERE in_work = 1 AND draw.key = ?",
        (draw["key"],),
    ).fetchone()
    if is_busy:
        raise OutcomeUnknown(f"Another request with the key {draw['key']} is in work.")
    books.execute(
        "INSERT INTO on_its_way (draw, arrives_at, in_work) VALUES (?, ?, 1)",
        (draw["id"], to_text(now + LEASE)),
    )


def end_work(books: sqlite3.Connection, draw: sqlite3.Row) -> None:
    books.execute("DELETE FROM on_its_way WHERE draw = ? AND in_work = 1", (draw["id"],))


def land_arrivals(books: sqlite3.Connection, now: datetime, closed: Container[date]) -> None:
    """
    Land what has arrived by now, at the moment of its arrival and in that order.

    A draw that lands so is told as a late event: its caller gave up long ago. What the gateway
    refuses then, nobody hears.
    """
    arrived = books.execute(
        "SELECT * FROM on_its_way WHERE arrives_at <= ? ORDER BY arrives_at, id", (to_text(now),)
    ).fetchall()
    for request in arrived:
        books.execute("DELETE FROM on_its_way WHERE id = ?", (request["id"],))
        moment = from_text(request["arrives_at"])
        try:
            landed = land(books, get_draw(books, request["draw"]), moment, closed)
        except GatewayMisuse:
            continue
        if not landed.replayed and landed.draw["state"] == "approved":
            record_event(books, landed.draw, EventKind.APPROVED_LATE, "", moment)
