"""Tokens of sessions and of one-time links: the books hold their hashes alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

CODE_DIGITS = 6
SPOKEN_DIGITS = 8  # of a recovery code


def new_token() -> str:
    """Return 256 random bits for a cookie or a form."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what the books hold of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class LinkTokens:
    """
    Makes the tokens and the six-digit codes of one-time links out of their random keys.

    A token is a signature by the home's secret, so that the mail can be made when it leaves, and
    neither the books nor a copy of them open anything.
    """

    secret: bytes = field(repr=False)

    def token(self, key: str) -> str:
        digest = hmac.digest(self.secret, f"link/{key}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")

    def code(self, key: str) -> str:
        digest = hmac.digest(self.secret, f"code/{key}".encode(), hashlib.sha256)
        return f"{int.from_bytes(digest[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"

    def spoken_code(self, key: str) -> str:
        """Return a recovery code in two groups, to be read out and read back (rule 155)."""
        digest = hmac.digest(self.secret, f"spoken/{key}".encode(), hashlib.sha256)
        digits = f"{int.from_bytes(digest[:8], 'big') % 10**SPOKEN_DIGITS:0{SPOKEN_DIGITS}d}"
        return f"{digits[:4]} {digits[4:]}"
