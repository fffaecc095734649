"""The audit list as a chain: what the hash of a row is made of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = "0" * 64  # what the first row follows


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the audit list: who did what, when, to what, and why."""

    number: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: str

    @property
    def moment(self) -> str:
        """Return when it was, in UTC with six digits of the second."""
        return self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    @property
    def canonical(self) -> bytes:
        """
        Return the row as the only text that it is hashed from.

        A JSON array without blanks, everything beyond ASCII escaped, the moment in UTC with
        six digits of the second: the same on every database and in every other language.
        """
        parts = [self.number, self.moment, self.who, self.action, self.subject, self.detail]
        return json.dumps(parts, ensure_ascii=True, separators=(",", ":")).encode("ascii")

    @property
    def content_hash(self) -> str:
        """Return the SHA-256 of the row by itself, which tells nothing of what it says."""
        return hashlib.sha256(self.canonical).hexdigest()


def chain_hash(previous: str, content_hash: str) -> str:
    """
    Return the hash of a row: SHA-256 over the hash before it and its content's.

    Of two hashes and not of the content itself, so that the chain can be proved to somebody who
    may not read every row.
    """
    return hashlib.sha256(f"{previous}{content_hash}".encode("ascii")).hexdigest()
