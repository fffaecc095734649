"""What the office needs of the mailbox that bounces come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

LARGEST = 262_144  # octets of a mail that are looked at: the report comes before the returned mail


@dataclass(frozen=True, slots=True)
class ReturnedMail:
    """
    One mail that came to the bounce address, not yet dealt with.

    `content` is its beginning, at most LARGEST octets. `name` is the mailbox's own for it.
    """

    name: str
    content: bytes
    received_at: datetime


class Inbox(Protocol):
    """A mailbox; its methods raise TemporaryFailure, or PermanentFailure for a person."""

    def unread(self) -> Iterator[ReturnedMail]:
        """Give the mails that nobody has dealt with, one at a time."""
        ...

    def mark_read(self, mail: ReturnedMail) -> None:
        """Note that a mail is dealt with; one that is gone meanwhile is."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
