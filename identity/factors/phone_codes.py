"""The six-digit codes of a phone (RFC 6238), for staff and portal users: each code counts once."""

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

from database.definitions.identity import credential
from domain.identity import CredentialKind
from identity.attempts.counting import count_bad, record_attempt

STEP_SECONDS = 30
EARLIER_AND_LATER = 1  # steps that a phone's clock may be off
MOST_CODES = 5  # bad ones within a quarter of an hour
CODES_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class PhoneOwner:
    """Whose phone it is: a member of staff, or a portal user."""

    number: int
    is_staff: bool

    @property
    def subject(self) -> str:
        """What bad codes are counted for."""
        return f"{'staff' if self.is_staff else 'user'}/{self.number}"

    @property
    def column(self) -> str:
        return "staff_number" if self.is_staff else "user_number"


def of_staff(number: int) -> PhoneOwner:
    return PhoneOwner(number, is_staff=True)


def of_user(number: int) -> PhoneOwner:
    return PhoneOwner(number, is_staff=False)


@dataclass(frozen=True, slots=True)
class PhoneCodes:
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

    def spare_hash(self, owner: PhoneOwner, code: str) -> str:
        """Return what the books hold of a spare code; they alone cannot try codes out."""
        said = f"spare/{owner.subject}/{code}".encode("utf-8", "replace")
        return hmac.digest(self.secret, said, hashlib.sha256).hex()


def prepare_code(books: Connection, owner: PhoneOwner, now: datetime) -> None:
    """Keep a key for a phone that has none yet; it counts once a code of it was right."""
    if _phone(books, owner) is None:
        books.execute(
            credential.insert().values(
                {
                    owner.column: owner.number,
                    "kind": CredentialKind.TOTP,
                    "secret": secrets.token_hex(16),
                    "since": now,
                }
            )
        )


def new_phone_key(books: Connection, owner: PhoneOwner) -> str:
    """Return the key of a phone that has never given a code, "" where one has."""
    phone = _phone(books, owner)
    return phone.secret if phone is not None and phone.used_step is None else ""


def has_phone(books: Connection, owner: PhoneOwner) -> bool:
    """Tell whether codes are asked for: a phone has given one."""
    phone = _phone(books, owner)
    return phone is not None and phone.used_step is not None


def forget_phone(books: Connection, owner: PhoneOwner) -> None:
    """Ask for no codes any more; a phone that is set up later has another key."""
    row = credential.c
    books.execute(
        credential.delete().where(
            row[owner.column] == owner.number, row.kind == CredentialKind.TOTP
        )
    )


def take_code(
    books: Connection,
    codes: PhoneCodes,
    owner: PhoneOwner,
    code: str,
    now: datetime,
    wall: datetime,
) -> bool:
    """
    Take the code of an owner's phone, once; `wall` is the machine's time, as the phone's is.

    After five wrong ones in a quarter of an hour the right one is refused too.
    """
    if is_tried_too_often(books, owner, now):
        return False
    phone = _phone(books, owner)
    typed = "".join(filter(str.isdigit, code))
    step = codes.step_of(phone.secret, typed, wall) if phone is not None else None
    good = step is not None and _use_step(books, phone.number, step)
    record_attempt(books, "code", [owner.subject], now, good=good)
    return good


def is_tried_too_often(books: Connection, owner: PhoneOwner, now: datetime) -> bool:
    return count_bad(books, "code", [owner.subject], now, CODES_WITHIN) >= MOST_CODES


def _use_step(books: Connection, phone: int, step: int) -> bool:
    """Use a step up: of two presses at once with one code one counts."""
    row = credential.c
    used = books.execute(
        credential.update()
        .where(row.number == phone, row.used_step.is_(None) | (row.used_step < step))
        .values(used_step=step)
    )
    return used.rowcount == 1


def _phone(books: Connection, owner: PhoneOwner) -> Any:
    row = credential.c
    query = sa.select(credential).where(
        row[owner.column] == owner.number, row.kind == CredentialKind.TOTP
    )
    return books.execute(query).one_or_none()
