"""How a draw lands in the sandbox gateway: keys, behavior, and requests that come late."""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.failures import OutcomeUnknown
from domain.money import Money
from domain.payments import MethodKind
from payments.port import DrawAnswer, DrawResult, GatewayMisuse, LateEventKind, advice_for
from payments.sandbox.bank_pages import decline_by_bank
from payments.sandbox.behavior import Behavior, behavior_of
from payments.sandbox.events import happen, record_event
from payments.sandbox.settlements import fee_of, record_movement, to_reference
from payments.sandbox.store import from_text, to_text, use, used

BROKEN = "500"  # an answer that is kept under its key: a server error
ANSWERS = {
    "approved": DrawAnswer.APPROVED,
    "declined": DrawAnswer.DECLINED,
}
_BEST_FIRST = "CASE state WHEN 'approved' THEN 0 WHEN 'prepared' THEN 2 ELSE 1 END, id DESC"


@dataclass(frozen=True, slots=True)
class DecidedDraw:
    """A draw that was decided, now or before under the same key, and how it is answered."""

    draw: sqlite3.Row
    answer: str
    replayed: bool


def get_draw(books: sqlite3.Connection, number: int) -> sqlite3.Row:
    row: sqlite3.Row = books.execute("SELECT * FROM draw WHERE id = ?", (number,)).fetchone()
    return row


def find_draw(books: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    """Return the draw under a key that matters most: approved, then declined, then prepared."""
    row: sqlite3.Row | None = books.execute(
        f"SELECT * FROM draw WHERE key = ? ORDER BY {_BEST_FIRST} LIMIT 1", (key,)
    ).fetchone()
    return row


def copy_draw(books: sqlite3.Connection, draw: sqlite3.Row) -> sqlite3.Row:
    """Prepare the same once more, under a number of its own."""
    number = books.execute(
        "INSERT INTO draw (key, fingerprint, account, method, kind, cents, state)"
        " SELECT key, fingerprint, account, method, kind, cents, 'prepared' FROM draw WHERE id = ?",
        (draw["id"],),
    ).lastrowid
    return get_draw(books, number or 0)


def land(
    books: sqlite3.Connection, draw: sqlite3.Row, now: datetime, closed: Container[date]
) -> DecidedDraw:
    """
    Decide a prepared draw, or answer as before where its key is still kept.

    Asked again after the window, a draw that was decided is drawn anew under another number: this
    is what a careless caller pays for.
    """
    kept = used(books, "confirm", draw["key"], draw["fingerprint"], now)
    if kept is not None:
        return DecidedDraw(get_draw(books, kept["draw"]), kept["answer"], replayed=True)
    if draw["state"] != "prepared":
        draw = copy_draw(books, draw)
    behavior = behavior_of(draw["method"])
    if draw["state"] == "prepared":
        _decide(books, draw, _decline_of(books, draw, behavior), now)
        draw = get_draw(books, draw["id"])
    if draw["state"] == "approved":
        _plan(books, draw, behavior, now, closed)
    answer = BROKEN if behavior.breaks else ""
    use(books, "confirm", draw["key"], draw["fingerprint"], now, draw["id"], answer)
    return DecidedDraw(draw, answer, replayed=False)


def _decline_of(books: sqlite3.Connection, draw: sqlite3.Row, behavior: Behavior) -> str:
    if behavior.asks_customer:
        return decline_by_bank(books, draw)
    if not behavior.declines_first:
        return behavior.decline
    declined = books.execute(
        "SELECT COUNT(*) FROM draw WHERE state = 'declined' AND account = ? AND method = ?",
        (draw["account"], draw["method"]),
    ).fetchone()[0]
    return "insufficient_funds" if declined < behavior.declines_first else ""


def _decide(books: sqlite3.Connection, draw: sqlite3.Row, decline: str, now: datetime) -> None:
    books.execute(
        "UPDATE draw SET state = ?, code = ?, decided_at = ? WHERE id = ? AND state = 'prepared'",
        ("declined" if decline else "approved", decline, to_text(now), draw["id"]),
    )


def _plan(
    books: sqlite3.Connection,
    draw: sqlite3.Row,
    behavior: Behavior,
    now: datetime,
    closed: Container[date],
) -> None:
    """Put the draw into its batch, and what will come of it later into the batch of that day."""
    fee = fee_of(MethodKind(draw["kind"]), draw["cents"])
    record_movement(books, draw, draw["cents"], fee, now, closed)
    for planned in behavior.later:
        happen(books, draw, planned.kind, draw["cents"], now + planned.after, closed, planned.code)


def to_result(draw: sqlite3.Row) -> DrawResult:
    """Say what became of a draw; one that is only prepared is not found, as nothing was drawn."""
    answer = ANSWERS.get(draw["state"], DrawAnswer.NOT_FOUND)
    is_declined = answer is DrawAnswer.DECLINED
    code = draw["code"]
    return DrawResult(
        answer,
        to_reference(draw["id"]),
        Money(draw["cents"]),
        code if is_declined else "",
        advice_for(code) if is_declined else None,
        from_text(draw["decided_at"]) if draw["decided_at"] else None,
    )


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
            late = LateEventKind.APPROVED_LATE
            record_event(books, landed.draw, late, landed.draw["cents"], moment)
