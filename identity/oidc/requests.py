"""Sign-ins under way at a provider: begun by a browser, answered once by the same one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.oidc import oidc_request
from identity.oidc.provider import OutsideAccount
from identity.tokens import new_token, token_hash

GOOD_FOR = timedelta(minutes=10)
CONNECTS_FOR = timedelta(minutes=15)
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """What the browser and the provider are told, once."""

    state: str
    binder: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class AnsweredSignIn:
    """What was remembered of one; `user` is who connects an account, if anybody does."""

    state_sha256: str
    nonce: str
    verifier: str
    goes_on_to: str
    user: int | None


def begin(
    books: Connection, provider: str, now: datetime, goes_on_to: str, user: int | None = None
) -> BegunSignIn:
    """Remember a sign-in that begins; what is older than a day is forgotten."""
    begun = BegunSignIn(new_token(), new_token(), new_token(), secrets.token_urlsafe(64))
    books.execute(oidc_request.delete().where(oidc_request.c.made_at < now - KEPT_FOR))
    books.execute(
        oidc_request.insert().values(
            state_sha256=token_hash(begun.state),
            binder_sha256=token_hash(begun.binder),
            provider=provider,
            nonce=begun.nonce,
            verifier=begun.verifier,
            goes_on_to=goes_on_to[:200],
            user_number=user,
            made_at=now,
            expires_at=now + GOOD_FOR,
        )
    )
    return begun


def take_answer(
    books: Connection, provider: str, state: str, binder: str, now: datetime
) -> AnsweredSignIn | None:
    """Use a sign-in up, once; None: over, used, another provider's or another browser's."""
    row = oidc_request.c
    which = (
        row.state_sha256 == token_hash(state),
        row.binder_sha256 == token_hash(binder),
        row.provider == provider,
        row.used_at.is_(None),
        row.expires_at > now,
    )
    if books.execute(oidc_request.update().where(*which).values(used_at=now)).rowcount != 1:
        return None
    found = books.execute(
        sa.select(oidc_request).where(row.state_sha256 == token_hash(state))
    ).one()
    return AnsweredSignIn(
        found.state_sha256, found.nonce, found.verifier, found.goes_on_to, found.user_number
    )


def keep_unknown(books: Connection, answered: AnsweredSignIn, account: OutsideAccount) -> None:
    """Remember a proved account that opens nothing yet, until its owner has signed in."""
    books.execute(
        oidc_request.update()
        .where(oidc_request.c.state_sha256 == answered.state_sha256)
        .values(issuer=account.issuer, subject=account.subject, label=account.label)
    )


def find_unknown(books: Connection, binder: str, now: datetime) -> OutsideAccount | None:
    """Return the account that this browser has proved a moment ago and that opens nothing yet."""
    row = oidc_request.c
    found = books.execute(
        sa.select(oidc_request)
        .where(
            row.binder_sha256 == token_hash(binder),
            row.subject != "",
            row.connected_at.is_(None),
            row.used_at > now - CONNECTS_FOR,
        )
        .order_by(row.used_at.desc())
    ).first()
    if found is None:
        return None
    return OutsideAccount(found.provider, found.issuer, found.subject, found.label)


def end_unknown(books: Connection, binder: str, now: datetime) -> None:
    """Let what this browser has proved connect nothing any more."""
    row = oidc_request.c
    books.execute(
        oidc_request.update()
        .where(row.binder_sha256 == token_hash(binder), row.connected_at.is_(None))
        .values(connected_at=now)
    )
