"""Claiming payments whose day has come: looked at anew, then a draw is recorded or a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from database.inserting import insert_new
from database.tables import bill_run, draw, scheduled_payment
from domain.money import Money
from domain.payments import DRAW, DrawState, PaymentState
from payments.drawables import due_keys, due_payments, to_drawable
from payments.draws import Draw, find_draws, move_payment
from payments.recording import record_never_asked
from payments.terms import Terms
from rules.drawing import NoDraw, decide_draw


@dataclass(slots=True)
class Claim:
    """What one transaction claimed: draws to be asked for, and payments that are not drawn."""

    draws: list[Draw] = field(default_factory=list)
    cancelled: int = 0
    waiting: int = 0


def runs_with_due_payments(database: Database, now: datetime) -> list[tuple[str, date]]:
    """Return the runs that have payments waiting, each with its local date of today (rule 47)."""
    query = (
        sa.select(bill_run.c.run, bill_run.c.timezone)
        .where(
            sa.exists().where(
                scheduled_payment.c.run == bill_run.c.run,
                scheduled_payment.c.state == PaymentState.SCHEDULED,
            )
        )
        .order_by(bill_run.c.ends_on)
    )
    with database.reading() as books:
        rows = books.execute(query).all()
    return [(row.run, now.astimezone(ZoneInfo(row.timezone)).date()) for row in rows]


def abandon_unasked(database: Database) -> int:
    """
    Give up the draws that were recorded and never asked for: nobody can have drawn them.

    Their payments are looked at anew, since the balance may have changed meanwhile. The office
    collects once at a time, so that they are what a crash has left behind; a worker who was about
    to ask for one after all finds it gone and lets it be.
    """
    with database.writing() as books:
        left = find_draws(books, draw.c.state == DrawState.CREATED)
        return sum(record_never_asked(books, one) for one in left)


def list_due(database: Database, run: str, today: date, size: int) -> Iterator[Sequence[Any]]:
    """Yield the keys of a run's payments whose day has come, some at a time."""
    with database.reading() as books:
        due = books.execute(due_keys(run, today)).all()
    yield from (due[first : first + size] for first in range(0, len(due), size))


def claim_due(
    database: Database, run: str, today: date, now: datetime, terms: Terms, due: Sequence[Any]
) -> Claim:
    """
    Claim some of the payments of a run whose day has come, in the order of their keys.

    The balance is read in the transaction that records the draw. Of two workers one gets it: the
    books take one open draw a payment.
    """
    claim = Claim()
    recorded: list[dict[str, Any]] = []
    with database.writing() as books:
        for row in books.execute(due_payments(run, today, due)):
            decision = decide_draw(to_drawable(row), terms.autopay)
            if isinstance(decision, Money):
                recorded.append(_to_draw(row, decision, now))
            elif decision.waits:
                claim.waiting += 1
            else:
                claim.cancelled += _cancel(books, row, decision, now, terms.who)
        claim.draws = _record_draws(books, recorded)
    return claim


def preview_due(database: Database, now: datetime, terms: Terms) -> Iterator[tuple[Any, Any]]:
    """Yield each payment that is due with what would be drawn, or why nothing; changes nothing."""
    for run, today in runs_with_due_payments(database, now):
        for due in list_due(database, run, today, terms.batch):
            with database.reading() as books:
                rows = books.execute(due_payments(run, today, due, locked=False)).all()
            yield from ((row, decide_draw(to_drawable(row), terms.autopay)) for row in rows)


def _to_draw(row: Any, amount: Money, now: datetime) -> dict[str, Any]:
    number = row.last_draw + 1
    return {
        "key": f"{row.key}/{number}",
        "payment_key": row.key,
        "number": number,
        "amount": amount,
        "method_token": row.method_token,
        "state": DRAW.start,
        "created_at": now,
        "lookups": 0,
    }


def _record_draws(books: Connection, rows: list[dict[str, Any]]) -> list[Draw]:
    """Record draws and return them, without those where another worker was faster."""
    if not rows:
        return []
    recording = insert_new(books.dialect.name, draw).returning(draw.c.key)
    keys = books.scalars(recording, rows).all()
    return find_draws(books, draw.c.key.in_(keys))


def _cancel(books: Connection, row: Any, reason: NoDraw, now: datetime, who: str) -> bool:
    error = reason.as_error
    if not move_payment(books, row.key, PaymentState.SCHEDULED, "cancelled", error=error):
        return False
    record_audit(books, now, who, "cancel payment", row.account, f"{row.run}: {error}")
    return True
