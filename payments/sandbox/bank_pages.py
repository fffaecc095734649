"""The pages on which a customer says yes or no to the bank, where the sandbox plays the bank."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass, field

from domain.money import Money
from payments.port import DrawAnswer, DrawResult
from payments.sandbox.settlements import to_reference

PAGE = "/sandbox/bank/"
NOT_DONE = "authentication_required"  # nobody was there to say yes
SAID_NO = "payment_intent_authentication_failure"


@dataclass(frozen=True, slots=True)
class BankPage:
    """One page of the bank: what is asked, and where it leads back to."""

    returns_to: str = field(repr=False)
    amount: Money
    is_open: bool  # nobody has answered, and it was not given up


def open_page(books: sqlite3.Connection, draw: sqlite3.Row, returns_to: str) -> sqlite3.Row:
    """Return the page of a draw, the same again each time."""
    books.execute(
        "INSERT OR IGNORE INTO bank_page (key, draw, returns_to) VALUES (?, ?, ?)",
        (secrets.token_urlsafe(24), draw["id"], returns_to),
    )
    row: sqlite3.Row = books.execute(
        "SELECT * FROM bank_page WHERE draw = ?", (draw["id"],)
    ).fetchone()
    return row


def page_of_draw(books: sqlite3.Connection, draw: sqlite3.Row) -> sqlite3.Row | None:
    """Return the page that a draw waits for; None: it does not wait for anybody."""
    row: sqlite3.Row | None = books.execute(
        "SELECT * FROM bank_page WHERE draw = ? AND answer = ''", (draw["id"],)
    ).fetchone()
    return row if draw["state"] == "prepared" else None


def find_page(books: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    """Return a page by its key, with the draw that it asks about."""
    row: sqlite3.Row | None = books.execute(
        "SELECT bank_page.*, draw.state, draw.cents FROM bank_page"
        " JOIN draw ON draw.id = bank_page.draw WHERE bank_page.key = ?",
        (key,),
    ).fetchone()
    return row


def answer_page(books: sqlite3.Connection, draw: sqlite3.Row, answer: str) -> None:
    """Take down what was said on the page; what was said first stays."""
    books.execute(
        "UPDATE bank_page SET answer = ? WHERE draw = ? AND answer = ''", (answer, draw["id"])
    )


def decline_by_bank(books: sqlite3.Connection, draw: sqlite3.Row) -> str:
    """Return why a draw that wants its customer is declined; empty: they have said yes."""
    row = books.execute("SELECT answer FROM bank_page WHERE draw = ?", (draw["id"],)).fetchone()
    answer = row["answer"] if row else ""
    return {"yes": "", "no": SAID_NO}.get(answer, NOT_DONE)


def to_awaiting(draw: sqlite3.Row, page: sqlite3.Row) -> DrawResult:
    """Say that a draw awaits its customer, and where."""
    return DrawResult(
        DrawAnswer.AWAITS,
        to_reference(draw["id"]),
        Money(draw["cents"]),
        bank_page=PAGE + page["key"],
    )
