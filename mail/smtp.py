"""Mail over SMTP (RFC 5321): a relay, several lasting connections, a limit a minute."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.background import Background
from mail.connection import Connection
from mail.lanes import Lanes, Pace
from mail.port import Outcome, OutgoingMessage, outcome_of
from mail.relay import Relay


class SmtpMailer:
    """
    Delivers over `connections` connections that stay open from batch to batch.

    Connections live in an event loop of their own thread: the caller, who reads the books and
    builds messages, need know nothing of it. Only a few messages are in memory at a time.
    """

    def __init__(
        self, relay: Relay, *, connections: int = 4, messages_per_minute: float = 0
    ) -> None:
        if connections < 1 or messages_per_minute < 0:
            raise Misuse("smtp.connections is at least 1, smtp.messages_per_minute at least 0")
        self._relay = relay
        self._connections = connections
        self._pace = Pace(messages_per_minute)
        self._idle: list[Connection] = []
        self._background: Background | None = None
        self._process = os.getpid()

    def deliver(self, messages: Iterable[OutgoingMessage]) -> Iterator[Outcome]:
        background = self._start()
        lanes = Lanes(self._relay, self._pace, self._idle)
        background.run(lanes.start(self._connections))
        waiting = 0
        try:
            for message in messages:
                if lanes.failure is not None:
                    break
                content = _content(message)
                if isinstance(content, Outcome):
                    yield content
                    continue
                background.call(lanes.todo.put_nowait, (message, content))
                waiting += 1
                while waiting >= 2 * self._connections or not lanes.answers.empty():
                    waiting -= 1
                    yield from _next_outcome(lanes)
            while waiting:
                waiting -= 1
                yield from _next_outcome(lanes)
        finally:
            background.run(lanes.stop())
        if lanes.failure is not None:
            raise lanes.failure

    def close(self) -> None:
        if self._background is not None and self._process == os.getpid():
            while self._idle:
                self._background.run(self._idle.pop().quit())
            self._background.stop()
        self._background = None

    def _start(self) -> Background:
        """Begin the thread anew in a forked process: threads and connections stay behind."""
        if self._background is None or self._process != os.getpid():
            self._process = os.getpid()
            self._idle = []
            self._background = Background()
        return self._background


def _content(message: OutgoingMessage) -> bytes | Outcome:
    try:
        return message.to_bytes()
    except (PermanentFailure, TemporaryFailure) as failure:
        return outcome_of(message.key, failure)


def _next_outcome(lanes: Lanes) -> Iterator[Outcome]:
    """Wait for one answer; a message the relay did not get has no outcome."""
    answer = lanes.answers.get()
    if isinstance(answer, BaseException):
        raise answer
    if answer is not None:
        yield answer
