"""Several connections that share one stream of messages."""

from __future__ import annotations

import asyncio
import queue
from dataclasses import dataclass, field

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from mail.connection import Connection, RelayClosing
from mail.port import Outcome, OutgoingMessage, Result
from mail.relay import Relay, connect

TROUBLES = 3  # lost connections in a row that make it the relay's fault and not a message's

Item = tuple[OutgoingMessage, bytes]
Answer = Outcome | BaseException | None  # None: surely not handed over, the relay is unavailable


class Pace:
    """Spaces messages evenly, so that a relay's limit a minute is never passed; 0: no limit."""

    def __init__(self, messages_per_minute: float) -> None:
        self._interval = 60 / messages_per_minute if messages_per_minute else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        if self._interval:
            now = asyncio.get_running_loop().time()
            start = max(now, self._next)
            self._next = start + self._interval
            await asyncio.sleep(start - now)


@dataclass
class Lanes:
    """
    The sending of one batch: each lane takes the next message when its connection is free.

    `idle` keeps connections from one batch to the next. A lane that gets no connection leaves its
    message to the others (a relay may limit connections); when none gets one, `failure` is set
    and everything left is answered with None. Every message taken gets exactly one answer.
    """

    relay: Relay
    pace: Pace
    idle: list[Connection]
    todo: asyncio.Queue[Item | None] = field(default_factory=asyncio.Queue)
    answers: queue.SimpleQueue[Answer] = field(default_factory=queue.SimpleQueue)
    failure: TemporaryFailure | PermanentFailure | None = None
    _alive: int = 0
    _troubles: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, lanes: int) -> None:
        self._alive = lanes
        self._tasks = [asyncio.ensure_future(self._lane()) for _ in range(lanes)]
        for task in self._tasks:
            task.add_done_callback(self._report)

    async def stop(self) -> None:
        """Let the lanes go: those at rest keep their connections, those at work lose theirs."""
        for _ in self._tasks:
            self.todo.put_nowait(None)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.05)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _report(self, task: asyncio.Task[None]) -> None:
        """Pass on a mistake of ours, or the caller would wait forever for an answer."""
        if not task.cancelled() and (mistake := task.exception()) is not None:
            self.answers.put(mistake)

    async def _lane(self) -> None:
        connection: Connection | None = None
        try:
            while (item := await self.todo.get()) is not None:
                if self.failure is not None:
                    self.answers.put(None)
                    continue
                try:
                    connection = await self._open(connection)
                    connection = await self._deliver(item, connection)
                except (TemporaryFailure, PermanentFailure) as failure:
                    connection = None
                    if not self._leave_to_others(item, failure):
                        continue
                    return
        finally:
            self._alive -= 1
            if connection is not None and connection.is_open:
                self.idle.append(connection)

    def _leave_to_others(self, item: Item, failure: TemporaryFailure | PermanentFailure) -> bool:
        """Give a message back while another lane may have a connection; else the relay is down."""
        if self._alive > 1 and self.failure is None:
            self.todo.put_nowait(item)
            return True
        self.failure = self.failure or failure
        self.answers.put(None)
        return False

    async def _open(self, connection: Connection | None) -> Connection:
        if connection is not None and connection.is_open:
            return connection
        while self.idle:
            connection = self.idle.pop()
            if connection.is_open:
                return connection
        return await connect(self.relay)

    async def _deliver(self, item: Item, connection: Connection) -> Connection:
        """
        Answer for one message, and return the connection for the next.

        A server that hangs up on a connection it has served (it counts messages or mistakes)
        means us and not this message, which goes again over a new one.
        """
        message, content = item
        await self.pace.turn()
        try:
            try:
                outcome = await connection.deliver(message, content)
            except RelayClosing:
                if not connection.delivered:
                    raise
                connection = await connect(self.relay)
                outcome = await connection.deliver(message, content)
        except RelayClosing as failure:
            outcome = self._troubled(message, Result.DEFERRED, failure)
        except OutcomeUnknown as failure:
            outcome = self._troubled(message, Result.IN_DOUBT, failure)
        else:
            self._troubles = 0
        self.answers.put(outcome)
        return connection

    def _troubled(
        self, message: OutgoingMessage, result: Result, failure: TemporaryFailure | OutcomeUnknown
    ) -> Outcome:
        self._troubles += 1
        if self._troubles >= TROUBLES:
            self.failure = self.failure or TemporaryFailure(f"the relay hangs up: {failure}")
        return Outcome(message.key, result, str(failure))
