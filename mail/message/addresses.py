"""Addresses as an envelope can carry them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from email_validator import EmailNotValidError, validate_email

from domain.bounces import delivery_token
from domain.failures import PermanentFailure

_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def to_envelope_address(address: str) -> str:
    """
    Return one address as an envelope has it: a domain of other letters in punycode (RFC 5891).

    What stands before the @ keeps its letters; such an address goes only where the relay announces
    SMTPUTF8 (RFC 6531). A list of addresses is none: mail libraries silently take the first of
    `a@x;b@y`. Raises PermanentFailure, and never repeats the address.
    """
    if _PLAIN.fullmatch(address) and len(address) <= 254:
        return address
    try:
        found = validate_email(
            address, check_deliverability=False, test_environment=True, strict=True
        )
    except EmailNotValidError:
        raise PermanentFailure("the e-mail address is not valid") from None
    envelope = f"{found.local_part}@{found.ascii_domain}"
    is_long = len(found.local_part.encode()) > 64  # octets (RFC 5321, 4.5.3.1.1)
    if is_long or (envelope.isascii() and not _PLAIN.fullmatch(envelope)):
        raise PermanentFailure("the e-mail address has characters that mail servers may not take")
    return envelope


LONGEST_LOCAL_PART = 64  # octets (RFC 5321, 4.5.3.1.1)
_SIGNATURE = 16  # base32 letters: 80 bits
_TAG = r"\+([a-z2-7]{16})\.([a-z2-7]{16})(?![a-z0-9.+_-])"


@dataclass(frozen=True, slots=True)
class Verp:
    """
    Makes `bounces+TOKEN.HMAC@domain` of the address where bounces go, and reads it again.

    Without the secret nobody can name a delivery, so nobody can make us believe that a stranger's
    mail came back. All is lower case: mail systems on the way may change the case.
    """

    address: str
    secret: bytes = field(repr=False)

    def sender(self, key: str) -> str:
        """Return the envelope sender of a delivery; its local part has at most 64 octets."""
        local_part, _, domain = self.address.lower().rpartition("@")
        token = delivery_token(key)
        return f"{local_part}+{token}.{self._sign(token)}@{domain}"

    def tokens(self, text: str) -> Iterator[str]:
        """Yield the tokens in a text whose signature is ours, in the order of reading."""
        local_part = re.escape(self.address.lower().rpartition("@")[0])
        for found in re.finditer(rf"(?<![a-z0-9._+-]){local_part}{_TAG}", text.lower()):
            token, signature = found.groups()
            if hmac.compare_digest(signature, self._sign(token)):
                yield token

    def _sign(self, token: str) -> str:
        digest = hmac.digest(self.secret, token.encode("ascii"), hashlib.sha256)
        return base64.b32encode(digest[:10]).decode("ascii").lower()


def longest_base() -> int:
    """Return how many octets the local part of the address itself may have."""
    return LONGEST_LOCAL_PART - len("+.") - 2 * _SIGNATURE
