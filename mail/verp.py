"""The envelope sender that tells which delivery came back (VERP), signed against forgery."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from domain.bounces import delivery_token

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
