"""The second step of a portal user's sign-in: the code of a phone, or a spare code."""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import spare_code
from identity.activity import record_activity
from identity.attempts.counting import record_attempt
from identity.factors.phone_codes import (
    PhoneCodes,
    forget_phone,
    is_tried_too_often,
    new_phone_key,
    of_user,
    take_code,
)

SPARE_CODES = 8
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_LENGTH = 10


def turn_on(
    books: Connection, codes: PhoneCodes, user: int, code: str, now: datetime, wall: datetime
) -> tuple[str, ...]:
    """
    Ask for codes from now on, once the new phone has given a right one.

    Returns the spare codes, which are shown this once; empty: the code was not right.
    """
    owner = of_user(user)
    if not new_phone_key(books, owner) or not take_code(books, codes, owner, code, now, wall):
        return ()
    made = tuple(_new_spare_code() for _ in range(SPARE_CODES))
    books.execute(
        spare_code.insert(),
        [
            {"code_hash": codes.spare_hash(owner, _flat(one)), "user_number": user, "made_at": now}
            for one in made
        ],
    )
    record_activity(books, user, "two-step sign-in on", now)
    return made


def take_second_step(
    books: Connection, codes: PhoneCodes, user: int, said: str, now: datetime, wall: datetime
) -> bool:
    """Take the code of the phone, or a spare code, each once; five wrong ones stop both."""
    owner = of_user(user)
    if said.strip().replace(" ", "").isdigit():
        return take_code(books, codes, owner, said, now, wall)
    if is_tried_too_often(books, owner, now):
        return False
    row = spare_code.c
    used = books.execute(
        spare_code.update()
        .where(row.code_hash == codes.spare_hash(owner, _flat(said)), row.used_at.is_(None))
        .values(used_at=now)
    )
    good = used.rowcount == 1
    record_attempt(books, "code", [owner.subject], now, good=good)
    if good:
        record_activity(books, user, "spare code used", now)
    return good


def turn_off(books: Connection, user: int, now: datetime) -> None:
    """Ask for no codes any more; the spare codes are worth nothing then."""
    forget_phone(books, of_user(user))
    books.execute(spare_code.delete().where(spare_code.c.user_number == user))
    record_activity(books, user, "two-step sign-in off", now)


def spare_codes_left(books: Connection, user: int) -> int:
    row = spare_code.c
    query = sa.select(sa.func.count()).where(row.user_number == user, row.used_at.is_(None))
    return int(books.scalar(query) or 0)


def _new_spare_code() -> str:
    drawn = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return f"{drawn[:5]}-{drawn[5:]}"


def _flat(code: str) -> str:
    return "".join(filter(str.isalnum, code)).lower()
