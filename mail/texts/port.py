"""What the office needs of whatever carries its text messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mail.port import Result


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """One text to one phone (E.164); `since` is when its first attempt began."""

    key: str
    phone: str
    words: str
    since: datetime


@dataclass(frozen=True, slots=True)
class TextOutcome:
    """
    What became of a text; `error` holds neither words nor phone.

    `reference` is the carrier's own number of it. `is_unwanted`: the carrier knows that the phone
    has answered STOP.
    """

    result: Result
    reference: str = ""
    error: str = ""
    is_unwanted: bool = False


class TextSender(Protocol):
    """Carries texts; both may be called by several threads at once."""

    def send(self, text: OutgoingText) -> TextOutcome:
        """
        Hand one text over, once.

        Its result is IN_DOUBT where the other side may have it and the answer was lost. What
        concerns all texts (no connection, a wrong password) is raised as TemporaryFailure or
        PermanentFailure: this one was then surely not handed over.
        """
        ...

    def look_up(self, text: OutgoingText) -> TextOutcome | None:
        """
        Tell what became of a text that is in doubt; None: the other side has not got it.

        Raises TemporaryFailure or PermanentFailure where nobody can tell now.
        """
        ...

    def close(self) -> None:
        """Let go of connections; the next text opens them anew."""
        ...


def was_not_delivered(status: str) -> bool:
    """Tell whether what a carrier says of a text later means that nobody got it."""
    return status in ("failed", "undelivered", "canceled")
