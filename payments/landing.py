"""Draws that landed after we thought that they had not."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.tables import draw
from domain.payments import DrawState
from payments.draws import Draw, find_draws, read_draw
from payments.recording import record_approved, record_never_asked
from payments.standing import DRAWN_TWICE


class Landed(StrEnum):
    """What a late approval was to us."""

    KNOWN = "known"
    TAKEN = "taken"  # into the books: the money is ours after all
    TWICE = "twice"  # another draw of the payment has the money already: one is given back
    NOT_YET = "not-yet"  # another draw of the payment has no answer: asked again with the next


def take_in_approval(
    books: Connection, one: Draw, *, reference: str, at: datetime, now: datetime, who: str
) -> Landed:
    """
    Take in that the gateway drew something, whatever we thought of it.

    A draw that was declined, given up or unknown may have landed: then the customer has paid.
    Where its payment was drawn anew meanwhile, he has paid twice, and a person gives one back.
    """
    if one.state is DrawState.APPROVED or one.code == DRAWN_TWICE:
        return Landed.KNOWN
    others = find_draws(books, draw.c.payment_key == one.payment_key, draw.c.key != one.key)
    states = {other.state for other in others}
    if DrawState.APPROVED in states:
        books.execute(draw.update().where(draw.c.key == one.key).values(code=DRAWN_TWICE))
        _audit(books, one, f"{reference}: drawn twice, give one back", now, who)
        return Landed.TWICE
    if DrawState.ASKED in states or one.state is DrawState.CREATED:
        return Landed.NOT_YET
    for other in others:
        if other.state is DrawState.CREATED:
            record_never_asked(books, other)
    before = one.payment_state
    fresh = read_draw(books, one.key)
    if fresh is None or not record_approved(books, fresh, now, reference=reference, at=at):
        return Landed.KNOWN
    if one.state is not DrawState.ASKED:
        _audit(books, one, f"{reference}: landed late; it was {before}", now, who)
    return Landed.TAKEN


def _audit(books: Connection, one: Draw, detail: str, now: datetime, who: str) -> None:
    record_audit(books, now, who, "late approval", one.account, f"{one.key}, {detail}")
