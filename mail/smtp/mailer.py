"""Mail over SMTP (RFC 5321): a relay, several lasting connections, limits a minute."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.port import Hook, MailOutcome, OutgoingMessage, outcome_of
from mail.smtp.dispatch import Dispatch, MessageBatch, ShrunkMessage, Withheld
from mail.smtp.envelope import WireMessage, check_addresses, pack, to_crlf
from mail.smtp.pool import ConnectionPool
from mail.smtp.rate_limit import RateLimit, RateLimitedQueue
from mail.smtp.relay import Relay

R = TypeVar("R")


class Background:
    """Runs coroutines for a caller that is not one."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Wait until the work is done and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function inside the loop, soon, without waiting for it."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


IN_HAND = 3  # messages a connection: one under way, one announced, one ready


class SmtpMailer:
    """
    Delivers over `connections` connections that stay open from batch to batch.

    Connections live in an event loop of their own thread: the caller, who reads the books and
    builds messages, need know nothing of it. Only a few messages are in memory at a time. `sign`
    adds a signature to a message's bytes.
    """

    def __init__(
        self,
        relay: Relay,
        *,
        connections: int = 4,
        messages_per_minute: float = 0,
        per_domain_per_minute: float = 0,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> None:
        if connections < 1 or messages_per_minute < 0 or per_domain_per_minute < 0:
            raise Misuse("smtp.connections is at least 1, and no limit a minute is below 0")
        self._relay = relay
        self._connections = connections
        self._rate_limit = RateLimit(messages_per_minute, per_domain_per_minute)
        self._sign = sign
        self._pool = ConnectionPool(relay)
        self._background: Background | None = None
        self._process = os.getpid()

    def deliver(
        self, messages: Iterable[OutgoingMessage], about_to_hand_over: Hook | None = None
    ) -> Iterator[MailOutcome]:
        background = self._start()
        batch = MessageBatch(about_to_hand_over or _untold)
        senders = Dispatch(batch, self._pool)
        background.run(senders.start(self._connections))
        try:
            rate_limited = RateLimitedQueue(messages, self._rate_limit)
            yield from self._feed(rate_limited, batch, background.call)
        finally:
            background.run(senders.stop())
        if batch.failure is not None:
            raise batch.failure

    def close(self) -> None:
        if self._background is not None and self._process == os.getpid():
            self._background.run(self._pool.quit())
            self._background.stop()
        self._background = None

    def _feed(
        self, rate_limited: RateLimitedQueue, batch: MessageBatch, call: Callable[..., None]
    ) -> Iterator[MailOutcome]:
        """
        Put messages as their turns come, and pass on the outcomes.

        With a limit a minute none waits ready: after a stall they would all go at once.
        """
        most = self._connections * (1 if self._rate_limit.is_limited else IN_HAND)
        waiting, held, is_over = 0, 0, False
        while waiting or not is_over:
            wait: float | None = None
            if not is_over and waiting < most + held:
                turn = rate_limited.next(time.monotonic())
                if turn is None:
                    is_over = True
                    call(batch.complete)
                    continue
                wait = turn if isinstance(turn, float) else 0.0
                if isinstance(turn, OutgoingMessage):
                    wire_message = self._to_wire_message(turn)
                    if isinstance(wire_message, MailOutcome):
                        yield wire_message
                        continue
                    call(batch.put, wire_message)
                    waiting += 1
            for answer in _answers(batch, wait):
                if isinstance(answer, Withheld):
                    held = answer.count
                    continue
                if isinstance(answer, ShrunkMessage):
                    wire_message = self._to_wire_message(answer.smaller)
                    call(
                        batch.answer if isinstance(wire_message, MailOutcome) else batch.give_back,
                        wire_message,
                    )
                    continue
                waiting -= 1
                if answer is not None:
                    yield answer
            is_over = is_over or batch.failure is not None

    def _to_wire_message(self, message: OutgoingMessage) -> WireMessage | MailOutcome:
        try:
            check_addresses(message.envelope_from, message.recipient)
            content = message.to_bytes()
            return pack(message, content if self._sign is None else self._sign(to_crlf(content)))
        except (PermanentFailure, TemporaryFailure) as failure:
            return outcome_of(message.key, failure)

    def _start(self) -> Background:
        """Begin the thread anew in a forked process: threads and connections stay behind."""
        if self._background is None or self._process != os.getpid():
            self._process = os.getpid()
            self._pool = ConnectionPool(self._relay)
            if self._relay.tokens is not None:
                self._relay.tokens.start_anew()
            self._background = Background()
        return self._background


def _answers(
    batch: MessageBatch, wait: float | None
) -> Iterator[MailOutcome | Withheld | ShrunkMessage | None]:
    """
    Give one answer, if it comes in so many seconds (None: however long it takes).

    None: the relay did not get the message, which has no outcome.
    """
    try:
        answer = batch.answers.get(timeout=wait) if wait != 0 else batch.answers.get_nowait()
    except queue.Empty:
        return
    if isinstance(answer, BaseException):
        raise answer
    yield answer


def _untold(_key: str) -> None:
    """Nobody wants to know what is about to go."""
