"""What the office needs of whatever carries its mail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from domain.failures import PermanentFailure, TemporaryFailure


class Result(StrEnum):
    """What became of one message; the events of the delivery's states bear the same names."""

    SENT = "sent"  # the other side answers for it now
    DEFERRED = "deferred"  # surely not taken; may be later
    FAILED = "failed"  # surely not taken and never will be
    IN_DOUBT = "in-doubt"  # handed over, and the answer was lost


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """
    One message to one mailbox, with its own envelope.

    `recipient` and `envelope_from` are bare ASCII addresses. `content` is the message with CRLF
    line ends, or what makes it: so that a batch may be planned without holding its attachments.
    `smaller` makes what goes instead where the server finds the content too large.
    """

    key: str
    envelope_from: str
    recipient: str
    message_id: str
    content: bytes | Callable[[], bytes]
    smaller: Callable[[], bytes] | None = None

    def to_bytes(self) -> bytes:
        """Make the content; raises TemporaryFailure or PermanentFailure for this message alone."""
        return self.content if isinstance(self.content, bytes) else self.content()

    def made_smaller(self) -> OutgoingMessage | None:
        """Return the same message with its smaller content; None where it has no such."""
        if self.smaller is None:
            return None
        return replace(self, content=self.smaller, smaller=None)


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """
    What became of the message of that key; `error` holds no personal data.

    `too_large`: it failed for its size alone; a smaller one to the same mailbox may go.
    """

    key: str
    result: Result
    error: str = ""
    too_large: bool = False


Hook = Callable[[str], Callable[[MailOutcome], None] | None]


def outcome_of(key: str, failure: TemporaryFailure | PermanentFailure) -> MailOutcome:
    """Return what a message's own failure comes to; `failure` says what to do about it."""
    temporary = isinstance(failure, TemporaryFailure)
    return MailOutcome(key, Result.DEFERRED if temporary else Result.FAILED, str(failure))


class Mailer(Protocol):
    """Carries messages, several at a time if it can."""

    def deliver(
        self, messages: Iterable[OutgoingMessage], about_to_hand_over: Hook | None = None
    ) -> Iterator[MailOutcome]:
        """
        Take messages as they are asked for and give outcomes as they come, in any order.

        `about_to_hand_over` is called with a message's key right before its body is written: from
        then until its outcome it is in doubt whether the other side has it, and never before. What
        it returns, if anything, is called with that outcome before another body goes over the same
        connection: so no more messages are in doubt than there are connections. It is called
        again for a message that goes again. Both may run in another thread and must be quick, and
        what they raise ends the delivery before another body is written.

        What concerns one message is its outcome. What concerns them all (no connection, a wrong
        password) is raised as TemporaryFailure or PermanentFailure, after the outcomes of all
        messages under way: a message without an outcome was then surely not handed over.
        """
        ...

    def close(self) -> None:
        """Let go of connections; the next delivery opens them anew."""
        ...
