"""Passkeys (WebAuthn level 2): added by whoever is signed in, and a whole way to sign in."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import webauthn
from sqlalchemy.engine import Connection
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from database.definitions.identity import passkey, passkey_challenge, web_user
from domain.identity import UserState
from identity.activity import record_activity
from identity.sessions import SignedIn
from identity.tokens import token_hash

GOOD_FOR = timedelta(minutes=5)
MOST_PASSKEYS = 10
_REQUIRED = UserVerificationRequirement.REQUIRED
# What an answer lacks or has too much of, besides what the library finds wrong with it.
_FAULTS = (WebAuthnException, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The portal as passkeys know it: they work at this origin and at no look-alike."""

    host: str
    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey of a portal user, by the name that they gave it."""

    number: int
    label: str
    made_at: datetime
    used_at: datetime | None


def relying_party(url: str, name: str) -> RelyingParty | None:
    """Return the portal's, None where browsers have none: at an IP address, or without TLS."""
    address = urlsplit(url)
    host = address.hostname or ""
    if not host or _is_ip(host) or (address.scheme != "https" and host != "localhost"):
        return None
    return RelyingParty(host, name or host, f"{address.scheme}://{address.netloc}")


def begin_adding(books: Connection, party: RelyingParty, who: SignedIn, now: datetime) -> str:
    """Return what the browser is asked to make, as JSON, with a challenge that is good once."""
    known = books.scalars(
        sa.select(passkey.c.credential_id).where(passkey.c.user_number == who.number)
    )
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=party.name,
        user_name=who.address,
        user_id=f"user/{who.number}".encode(),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known
        ],
    )
    _keep(books, options.challenge, now, who.number)
    return webauthn.options_to_json(options)


def add_passkey(
    books: Connection,
    party: RelyingParty,
    who: SignedIn,
    answer: Mapping[str, str],
    label: str,
    now: datetime,
) -> bool:
    """Keep the passkey that a browser has made; tell whether it was one, and asked for by us."""
    challenge = _use(books, answer.get("client", ""), now, who.number)
    count = sa.select(sa.func.count()).where(passkey.c.user_number == who.number)
    if challenge is None or (books.scalar(count) or 0) >= MOST_PASSKEYS:
        return False
    response = {
        "clientDataJSON": answer.get("client", ""),
        "attestationObject": answer.get("made", ""),
    }
    try:
        made = webauthn.verify_registration_response(
            credential=_credential(answer, response),
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except _FAULTS:
        return False
    key = bytes_to_base64url(made.credential_id)
    if books.scalar(sa.select(passkey.c.number).where(passkey.c.credential_id == key)) is not None:
        return False
    books.execute(
        passkey.insert().values(
            user_number=who.number,
            credential_id=key,
            public_key=bytes_to_base64url(made.credential_public_key),
            label=label[:60],
            made_at=now,
        )
    )
    record_activity(books, who.number, "passkey added", now)
    return True


def begin_sign_in(books: Connection, party: RelyingParty, now: datetime) -> str:
    """Return what a browser is asked for: any passkey of this portal that its owner has."""
    options = webauthn.generate_authentication_options(
        rp_id=party.host, user_verification=_REQUIRED
    )
    _keep(books, options.challenge, now, None)
    return webauthn.options_to_json(options)


def sign_in_by_passkey(
    books: Connection, party: RelyingParty, answer: Mapping[str, str], now: datetime
) -> int | None:
    """
    Return whose passkey has answered our challenge, None for all that is wrong.

    The person was verified by the device, so that no code is asked for. Ten wrong passwords lock
    the password and not this. Synced passkeys always count 0: nothing goes by that number.
    """
    challenge = _use(books, answer.get("client", ""), now, None)
    row = books.execute(_owner_of(answer.get("id", ""))).one_or_none()
    if challenge is None or row is None:
        return None
    if not _is_answer(party, answer, challenge, row.public_key):
        record_activity(books, row.user_number, "sign-in failed", now, detail="by a passkey")
        return None
    books.execute(passkey.update().where(passkey.c.number == row.number).values(used_at=now))
    record_activity(books, row.user_number, "signed in", now, detail="by a passkey")
    return int(row.user_number)


def begin_confirming(books: Connection, party: RelyingParty, user: int, now: datetime) -> str:
    """Return what the browser of whoever is signed in is asked for: a passkey of theirs."""
    known = books.scalars(sa.select(passkey.c.credential_id).where(passkey.c.user_number == user))
    options = webauthn.generate_authentication_options(
        rp_id=party.host,
        user_verification=_REQUIRED,
        allow_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known
        ],
    )
    _keep(books, options.challenge, now, user)
    return webauthn.options_to_json(options)


def confirm_by_passkey(
    books: Connection, party: RelyingParty, user: int, answer: Mapping[str, str], now: datetime
) -> bool:
    """Tell whether a passkey of this very user has answered what was asked in their session."""
    challenge = _use(books, answer.get("client", ""), now, user)
    row = books.execute(_owner_of(answer.get("id", ""))).one_or_none()
    if challenge is None or row is None or row.user_number != user:
        return False
    if not _is_answer(party, answer, challenge, row.public_key):
        return False
    books.execute(passkey.update().where(passkey.c.number == row.number).values(used_at=now))
    return True


def passkeys_of(books: Connection, user: int) -> list[Passkey]:
    row = passkey.c
    query = (
        sa.select(row.number, row.label, row.made_at, row.used_at)
        .where(row.user_number == user)
        .order_by(row.number)
    )
    return [Passkey(*found) for found in books.execute(query)]


def remove_passkey(books: Connection, user: int, number: int, now: datetime) -> bool:
    """Remove one of the user's own passkeys; tell whether there was such a one."""
    row = passkey.c
    gone = books.execute(passkey.delete().where(row.user_number == user, row.number == number))
    if gone.rowcount:
        record_activity(books, user, "passkey removed", now)
    return gone.rowcount == 1


def _is_answer(
    party: RelyingParty, answer: Mapping[str, str], challenge: bytes, public_key: str
) -> bool:
    response = {
        "clientDataJSON": answer.get("client", ""),
        "authenticatorData": answer.get("made", ""),
        "signature": answer.get("signature", ""),
    }
    try:
        webauthn.verify_authentication_response(
            credential=_credential(answer, response),
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _FAULTS:
        return False
    return True


def _owner_of(credential_id: str) -> sa.Select[Any]:
    return (
        sa.select(passkey.c.number, passkey.c.user_number, passkey.c.public_key)
        .join(web_user, web_user.c.number == passkey.c.user_number)
        .where(passkey.c.credential_id == credential_id, web_user.c.state == UserState.ACTIVE)
    )


def _keep(books: Connection, challenge: bytes, now: datetime, user: int | None) -> None:
    row = passkey_challenge.c
    books.execute(passkey_challenge.delete().where(row.expires_at < now - GOOD_FOR))
    books.execute(
        passkey_challenge.insert().values(
            challenge_sha256=token_hash(bytes_to_base64url(challenge)),
            user_number=user,
            expires_at=now + GOOD_FOR,
        )
    )


def _use(books: Connection, client: str, now: datetime, user: int | None) -> bytes | None:
    """Use up the challenge that an answer names, and return it: nobody answers it again."""
    try:
        challenge = str(json.loads(base64url_to_bytes(client))["challenge"])
        said = base64url_to_bytes(challenge)
    except _FAULTS:
        return None
    row = passkey_challenge.c
    whose = row.user_number.is_(None) if user is None else row.user_number == user
    used = books.execute(
        passkey_challenge.update()
        .where(row.challenge_sha256 == token_hash(challenge), whose)
        .where(row.used_at.is_(None), row.expires_at > now)
        .values(used_at=now)
    )
    return said if used.rowcount == 1 else None


def _credential(answer: Mapping[str, str], response: dict[str, str]) -> dict[str, Any]:
    key = answer.get("id", "")
    return {"id": key, "rawId": key, "type": "public-key", "response": response}


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
