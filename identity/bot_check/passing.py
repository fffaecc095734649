"""Which guests were taken for persons, and by which answers: each of them counts once."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import bot_check_pass
from database.inserting import insert_new
from identity.bot_check.port import BotVerdict

GOOD_FOR = timedelta(hours=2)  # as long as the guest's cookie is
_PASS = bot_check_pass.c


def has_passed(books: Connection, guest: str, now: datetime) -> bool:
    """Tell whether a guest, by the hash of the cookie, was taken for a person lately."""
    query = sa.select(_PASS.answer).where(_PASS.guest == guest, _PASS.passed_at > now - GOOD_FOR)
    return books.scalar(query.limit(1)) is not None


def let_pass(books: Connection, verdict: BotVerdict, guest: str, now: datetime) -> bool:
    """
    Write down that an answer let a guest pass; no where the same answer did so before.

    What is over is forgotten here: an answer that is good no more is refused by its date.
    """
    if not verdict.is_person or not verdict.once or verdict.good_until is None:
        return False
    books.execute(
        bot_check_pass.delete().where(
            _PASS.good_until < now - GOOD_FOR, _PASS.passed_at < now - GOOD_FOR
        )
    )
    inserting = insert_new(books.dialect.name, bot_check_pass).values(
        answer=verdict.once, guest=guest, passed_at=now, good_until=verdict.good_until
    )
    return books.scalar(inserting.returning(_PASS.answer)) is not None
