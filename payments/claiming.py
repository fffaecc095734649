"""Claiming payments whose day has come: looked at anew, then a draw is recorded or a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from database.tables import bill_run, draw, scheduled_payment
from domain.money import Money
from domain.payments import DRAW, DrawState, PaymentState
from payments.drawables import due_payments, to_drawable
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
    last_key: str = ""  # of the payments looked at; empty: there was none


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

    Their payments are looked at anew, since the balance may have changed meanwhile. A worker who
    was about to ask for one finds it gone and lets it be.
    """
    with database.writing() as books:
        left = find_draws(books, draw.c.state == DrawState.CREATED)
        return sum(record_never_asked(books, one) for one in left)


def claim_due(
    database: Database, run: str, today: date, now: datetime, terms: Terms, after: str
) -> Claim:
    """
    Claim the next payments of a run whose day has come, in the order of their keys.

    The balance is read in the transaction that records the draw. Of two workers one gets it: the
    books take one open draw a payment.
    """
    claim = Claim()
    keys: list[str | None] = []
    with database.writing() as books:
        for row in books.execute(due_payments(run, today, after, terms.batch)):
            claim.last_key = row.key
            decision = decide_draw(to_drawable(row), terms.autopay)
            if isinstance(decision, Money):
                keys.append(_record_draw(books, row, decision, now))
            elif decision.waits:
                claim.waiting += 1
            else:
                claim.cancelled += _cancel(books, row, decision, now, terms.who)
        claim.draws = find_draws(books, draw.c.key.in_([key for key in keys if key]))
    return claim


def preview_due(database: Database, now: datetime, terms: Terms) -> Iterator[tuple[Any, Any]]:
    """Yield each payment that is due with what would be drawn, or why nothing; changes nothing."""
    for run, today in runs_with_due_payments(database, now):
        with database.reading() as books:
            for row in books.execute(due_payments(run, today, "", None, locked=False)):
                yield row, decide_draw(to_drawable(row), terms.autopay)


def _record_draw(books: Connection, row: Any, amount: Money, now: datetime) -> str | None:
    """Record a draw and return its key; None where another worker was faster."""
    number = books.scalar(
        sa.select(sa.func.coalesce(sa.func.max(draw.c.number), 0) + 1).where(
            draw.c.payment_key == row.key
        )
    )
    insert: Any = postgresql.insert if books.dialect.name == "postgresql" else sqlite.insert
    values = {
        "key": f"{row.key}/{number}",
        "payment_key": row.key,
        "number": number,
        "amount": amount,
        "method_token": row.method_token,
        "state": DRAW.start,
        "created_at": now,
        "lookups": 0,
    }
    recorded = insert(draw).values(values).on_conflict_do_nothing().returning(draw.c.key)
    key: str | None = books.scalar(recorded)
    return key


def _cancel(books: Connection, row: Any, reason: NoDraw, now: datetime, who: str) -> bool:
    error = f"not drawn: {reason}"
    if not move_payment(books, row.key, PaymentState.SCHEDULED, "cancelled", error=error):
        return False
    record_audit(books, now, who, "cancel payment", row.account, f"{row.run}: {error}")
    return True
