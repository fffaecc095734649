"""The audit list as a chain: what the hash of a row is made of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = "0" * 64  # what the first row follows


@dataclass(frozen=True, slots=True)
class Act:
    """
    One row of the audit list: who did what, when, to what, and why.

    `at` is the business time and `machine_at` what the machine's clock said; they differ where
    somebody worked at a rehearsed time, which `rehearsed` marks.
    """

    number: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: str
    machine_at: datetime
    rehearsed: bool = False

    @property
    def moment(self) -> str:
        """Return when it was, in UTC with six digits of the second."""
        return _write(self.at)

    @property
    def machine_moment(self) -> str:
        """Return what the machine's clock said, in the same way."""
        return _write(self.machine_at)

    @property
    def canonical(self) -> bytes:
        """
        Return the row as the only text that it is hashed from.

        A JSON array without blanks, everything beyond ASCII escaped, the moments in UTC with
        six digits of the second: the same on every database and in every other language.
        """
        told = [self.number, self.moment, self.who, self.action, self.subject, self.detail]
        parts = [*told, self.machine_moment, self.rehearsed]
        return json.dumps(parts, ensure_ascii=True, separators=(",", ":")).encode("ascii")

    @property
    def content_hash(self) -> str:
        """Return the SHA-256 of the row by itself, which tells nothing of what it says."""
        return hashlib.sha256(self.canonical).hexdigest()


def _write(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def chain_hash(previous: str, content_hash: str) -> str:
    """
    Return the hash of a row: SHA-256 over the hash before it and its content's.

    Of two hashes and not of the content itself, so that the chain can be proved to somebody who
    may not read every row.
    """
    return hashlib.sha256(f"{previous}{content_hash}".encode("ascii")).hexdigest()
