"""Staff sign in: a password, then the six-digit code of a phone (RFC 6238), each code once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyotp
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.identity import credential, staff
from domain.identity import CredentialKind, UserState, mailbox_of
from identity.attempts import count_bad, record_attempt
from identity.passwords import Passwords
from identity.signing_in import HOUR, NETWORK_MOST
from identity.users import MOST_FAILURES

STEP_SECONDS = 30
EARLIER_AND_LATER = 1  # steps that a phone's clock may be off
MOST_CODES = 5  # bad ones within a quarter of an hour
CODES_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class StaffCodes:
    """
    Makes the secrets of phones out of random keys, by the home's own secret.

    The books hold the keys alone: neither they nor a copy of them make a code.
    """

    secret: bytes = field(repr=False)

    def phone_secret(self, key: str) -> str:
        digest = hmac.digest(self.secret, f"totp/{key}".encode(), hashlib.sha256)
        return b32encode(digest[:20]).decode("ascii")

    def address(self, key: str, owner: str, issuer: str) -> str:
        """Return what the picture says to a phone (otpauth://…)."""
        return pyotp.TOTP(self.phone_secret(key)).provisioning_uri(name=owner, issuer_name=issuer)

    def step_of(self, key: str, code: str, wall: datetime) -> int | None:
        """Return the step that a code belongs to, near to the machine's time; None: to none."""
        totp = pyotp.TOTP(self.phone_secret(key))
        now = int(wall.timestamp()) // STEP_SECONDS
        for step in range(now - EARLIER_AND_LATER, now + EARLIER_AND_LATER + 1):
            if hmac.compare_digest(totp.at(step * STEP_SECONDS).encode(), code.encode()):
                return step
        return None


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


def prepare_code(books: Connection, number: int, now: datetime) -> None:
    """Keep a key for a phone that has none yet; it counts once a code of it was right."""
    if _phone(books, number) is None:
        books.execute(
            credential.insert().values(
                staff_number=number,
                kind=CredentialKind.TOTP,
                secret=secrets.token_hex(16),
                since=now,
            )
        )


def new_phone_key(books: Connection, number: int) -> str:
    """Return the key of a phone that has never given a code, "" where one has."""
    phone = _phone(books, number)
    return phone.secret if phone is not None and phone.used_step is None else ""


def take_code(
    books: Connection, codes: StaffCodes, number: int, code: str, now: datetime, wall: datetime
) -> bool:
    """
    Take the code of a member's phone, once; `wall` is the machine's time, as the phone's is.

    After five wrong ones in a quarter of an hour the right one is refused too.
    """
    subjects = [f"staff/{number}"]
    if count_bad(books, "code", subjects, now, CODES_WITHIN) >= MOST_CODES:
        return False
    phone = _phone(books, number)
    typed = "".join(filter(str.isdigit, code))
    step = codes.step_of(phone.secret, typed, wall) if phone is not None else None
    good = step is not None and _use_step(books, phone.number, step)
    record_attempt(books, "code", subjects, now, good=good)
    return good


def _use_step(books: Connection, phone: int, step: int) -> bool:
    """Use a step up: of two presses at once with one code one counts."""
    row = credential.c
    used = books.execute(
        credential.update()
        .where(row.number == phone, row.used_step.is_(None) | (row.used_step < step))
        .values(used_step=step)
    )
    return used.rowcount == 1


def _phone(books: Connection, number: int) -> Any:
    row = credential.c
    query = sa.select(credential).where(row.staff_number == number, row.kind == CredentialKind.TOTP)
    return books.execute(query).one_or_none()


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
