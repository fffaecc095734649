"""Staff sign in by a password; then comes the code of a phone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from database.audit import record_audit
from database.books import Database
from database.definitions.identity import credential, staff
from domain.identity import CredentialKind, UserState, mailbox_of
from identity.attempts.counting import count_bad, record_attempt
from identity.passwords import Passwords
from identity.signing_in import HOUR, NETWORK_MOST
from identity.users import MOST_FAILURES


def sign_in_staff(
    database: Database,
    passwords: Passwords,
    address: str,
    password: str,
    now: datetime,
    *,
    network: str = "",
) -> int | None:
    """
    Check a mailbox and a password; None: the one answer to all that is wrong.

    Ten failures in a row let the password in no more, until another link sets a new one: staff
    are few, and their password opens everybody's money.
    """
    with database.reading() as books:
        row = books.execute(_password_of(address)).one_or_none()
        too_many = network and count_bad(books, "sign-in", [network], now, HOUR) >= NETWORK_MOST
    is_right = passwords.is_right(password, row.secret if row else None)
    allowed = row is not None and row.state is UserState.ACTIVE and row.failures < MOST_FAILURES
    good = bool(is_right and allowed and not too_many)
    with database.writing() as books:
        if network:
            record_attempt(books, "sign-in", [network], now, good=good)
        if row is None:
            return None
        failures = 0 if good else staff.c.failures + 1
        books.execute(staff.update().where(staff.c.number == row.number).values(failures=failures))
        action = "sign in" if good else "sign in refused"
        record_audit(books, now, f"{row.role} {row.number}", action, f"staff {row.number}")
    return int(row.number) if good else None


def _password_of(address: str) -> sa.Select[Any]:
    return (
        sa.select(
            staff.c.number, staff.c.role, staff.c.state, staff.c.failures, credential.c.secret
        )
        .outerjoin(
            credential,
            sa.and_(
                credential.c.staff_number == staff.c.number,
                credential.c.kind == CredentialKind.PASSWORD,
            ),
        )
        .where(staff.c.mailbox == mailbox_of(address))
    )
