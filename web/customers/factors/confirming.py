"""The current password, asked for again before a way to sign in changes (ASVS 5.0, V7.5.1)."""

from __future__ import annotations

import sqlalchemy as sa

from database.definitions.identity import credential
from domain.failures import TemporaryFailure
from domain.identity import CredentialKind
from identity.attempts.counting import count_bad, record_attempt
from identity.signing_in import HOUR
from web.visits import Visit, passwords_of

MOST_WRONG = 5  # current passwords an hour
BUSY = "Very many people sign in at this moment. Please try again in a minute."
WRONG = "That is not your current password."
TOO_OFTEN = "A wrong current password was entered too often. Please try again in an hour."


def find_password_problem(visit: Visit) -> tuple[int, dict[str, str]]:
    """
    Check the field `current`; return the status of the answer and what is wrong, by field.

    Nothing is wrong: 200 and no problem. Counted, so that a session that was left open lets
    nobody try passwords out.
    """
    subject = f"user/{visit.user.number}"
    with visit.office.database.reading() as books:
        if count_bad(books, "password", [subject], visit.now, HOUR) >= MOST_WRONG:
            return 429, {"current": visit.say(TOO_OFTEN)}
        row = credential.c
        kept = books.scalar(
            sa.select(row.secret).where(
                row.user_number == visit.user.number, row.kind == CredentialKind.PASSWORD
            )
        )
    try:
        is_right = passwords_of(visit).is_right(visit.form.get("current", ""), kept)
    except TemporaryFailure:
        return 429, {"": visit.say(BUSY)}
    with visit.office.database.writing() as books:
        record_attempt(books, "password", [subject], visit.now, good=is_right)
    return (200, {}) if is_right else (422, {"current": visit.say(WRONG)})
