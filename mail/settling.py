"""Bounces that a person has to judge."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from database.auditing import record_audit
from database.books import Database
from database.tables import bounce, delivery
from domain.bounces import BounceKind, Judgement
from domain.failures import Misuse
from mail.bounce_effects import carry_out

SHORTEST_ID = 6


def settle_bounce(
    database: Database, identity: str, reason: str, *, failed: bool, now: datetime, who: str
) -> str:
    """
    Take an unknown bounce off the clerk's list; return its account's number, if it has one.

    `failed`: the mail did not arrive, so its bill goes on paper where no other mailbox took it.
    `identity` may be cut short. Raises Misuse where it names none or several, or where a mail
    failed of which nobody knows whose it was.
    """
    with database.writing() as books:
        found = books.execute(
            sa.select(bounce.c.id, bounce.c.delivery_key).where(
                bounce.c.id.startswith(identity, autoescape=True),
                bounce.c.kind == BounceKind.UNKNOWN,
                bounce.c.settled_at.is_(None),
            )
        ).all()
        if len(identity) < SHORTEST_ID or len(found) != 1:
            raise Misuse(
                "This names no bounce that waits for a person, or several; "
                "`billclose bounces list` shows their ids."
            )
        row = books.execute(
            sa.select(delivery).where(delivery.c.key == found[0].delivery_key)
        ).one_or_none()
        if row is None and failed:
            raise Misuse("Nobody knows which bill this bounce is about; print the bill by hand.")
        books.execute(bounce.update().where(bounce.c.id == found[0].id).values(settled_at=now))
        if row is not None and failed:
            carry_out(books, row, Judgement(BounceKind.HARD, fails=True), "by hand", now, who)
        account = "" if row is None else str(row.account)
        act = "settle bounce as failed" if failed else "settle bounce"
        record_audit(books, now, who, act, account or found[0].id[:12], reason)
    return account
