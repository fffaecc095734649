"""Several connections that share one batch of messages."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from mail.port import Hook, MailOutcome, OutgoingMessage, Result
from mail.smtp.connection import Connection, RelayClosing
from mail.smtp.envelope import WireMessage, why_not
from mail.smtp.pool import ConnectionPool

TROUBLES = 3  # lost connections in a row that make it the relay's fault and not a message's


@dataclass(frozen=True, slots=True)
class Withheld:
    """
    How many messages have no answer yet because others are to show whose fault it is.

    The caller may wait for them before it puts the next, so it is told to go on.
    """

    count: int


@dataclass(frozen=True, slots=True)
class ShrunkMessage:
    """
    A message that was refused for its size, made smaller: the caller is to put it again.

    It still has no answer, and whoever asked to be told of one is told of the smaller one's.
    """

    smaller: OutgoingMessage


# None: surely not handed over, no relay
Answer = MailOutcome | BaseException | Withheld | ShrunkMessage | None


@dataclass
class MessageBatch:
    """
    The messages that senders share; lives in the senders' event loop, but for `answers`.

    Every message put gets exactly one answer, and Withheld is none. Once `failure` is set,
    what has not been handed over is answered with None.
    """

    hook: Hook
    answers: queue.SimpleQueue[Answer] = field(default_factory=queue.SimpleQueue)
    failure: TemporaryFailure | PermanentFailure | None = None
    _todo: asyncio.Queue[WireMessage | None] = field(default_factory=asyncio.Queue)
    _ends: dict[str, Callable[[MailOutcome], None]] = field(default_factory=dict)
    _withheld: list[MailOutcome] = field(default_factory=list)
    _under_way: int = 0  # messages without an answer, suspects left out
    _is_complete: bool = False  # all messages have been put
    _troubles: int = 0

    def put(self, wire_message: WireMessage) -> None:
        self._under_way += 1
        self._todo.put_nowait(wire_message)

    def complete(self) -> None:
        """Note that no more messages will be put."""
        self._is_complete = True
        self._judge()

    def give_back(self, wire_message: WireMessage) -> None:
        """Return what was put and taken, for whoever is free."""
        self._todo.put_nowait(wire_message)

    async def take(self) -> WireMessage | None:
        """Wait for a message; None: there will be no more."""
        while (wire_message := await self._todo.get()) is not None and self.failure is not None:
            self.answer(None)
        return wire_message

    def take_now(self) -> WireMessage | None:
        """Return a message that is waiting, if one is."""
        if self._todo.empty() or self.failure is not None:
            return None
        wire_message = self._todo.get_nowait()
        if wire_message is None:
            self._todo.put_nowait(None)
        return wire_message

    def end(self, senders: int) -> None:
        """Forget what nobody has taken, and let that many senders know that it is over."""
        while not self._todo.empty():
            self._todo.get_nowait()
        for _ in range(senders):
            self._todo.put_nowait(None)

    def about_to_hand_over(self, key: str) -> None:
        """Tell the caller; what it returns is told the outcome."""
        if (end := self.hook(key)) is not None:
            self._ends[key] = end

    def answer(self, answer: MailOutcome | None) -> None:
        self._under_way -= 1
        self._pass_on(answer)
        self._judge()

    def answer_for(self, message: OutgoingMessage, outcome: MailOutcome) -> None:
        """Give a message its answer, or ask for a smaller one where its size alone was wrong."""
        smaller = message.made_smaller() if outcome.too_large else None
        if smaller is None:
            self.answer(outcome)
        else:
            self.answers.put(ShrunkMessage(smaller))

    def got_through(self) -> None:
        """Note that the relay answered for a message: whoever failed before it failed alone."""
        self._troubles = 0
        self._judge(is_working=True)

    def withhold(self, outcome: MailOutcome) -> None:
        """
        Hold back the outcome of a message at which the relay hung up.

        If another message gets through, or none is left to show it, the message is to blame. If
        the relay goes on hanging up it is the relay, and costs the message nothing.
        """
        self._under_way -= 1
        self._withheld.append(outcome)
        self.answers.put(Withheld(len(self._withheld)))
        self._judge()

    def trouble(self, failure: Exception) -> None:
        """Count a connection that was of no use."""
        self._troubles += 1
        if self._troubles >= TROUBLES:
            self.give_up(TemporaryFailure(f"the relay hangs up: {failure}"))

    def give_up(self, failure: TemporaryFailure | PermanentFailure) -> None:
        self.failure = self.failure or failure
        self._judge()

    def _judge(self, *, is_working: bool = False) -> None:
        if self.failure is not None:
            replies: list[MailOutcome | None] = [None] * len(self._withheld)
        elif is_working or (self._is_complete and not self._under_way):
            replies = [*self._withheld]
        else:
            return
        if self._withheld:
            self._withheld.clear()
            self.answers.put(Withheld(0))
        for reply in replies:
            self._pass_on(reply)

    def _pass_on(self, answer: MailOutcome | None) -> None:
        """Give an answer to who asked to be told at once, and to the caller."""
        end = None if answer is None else self._ends.pop(answer.key, None)
        if answer is not None and end is not None:
            end(answer)
        self.answers.put(answer)


class Dispatch:
    """
    The sending of one batch: each sender takes the next message when its connection is free.

    A sender that gets no connection leaves its message to the others (a relay may limit
    connections); when none gets one, the batch has failed.
    """

    def __init__(self, batch: MessageBatch, pool: ConnectionPool) -> None:
        self._batch = batch
        self._pool = pool
        self._alive = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, senders: int) -> None:
        self._alive = senders
        self._tasks = [asyncio.ensure_future(self._run()) for _ in range(senders)]
        for task in self._tasks:
            task.add_done_callback(self._report)

    async def stop(self) -> None:
        """Let the senders go: those at rest keep their connections, those at work lose theirs."""
        self._batch.end(len(self._tasks))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.05)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        sender = _Sender(self._batch, self._pool)
        try:
            while await sender.take():
                try:
                    await sender.deliver()
                except (TemporaryFailure, PermanentFailure) as failure:
                    if self._alive > 1 and self._batch.failure is None:
                        return  # another sender may have a connection
                    self._batch.give_up(failure)
        finally:
            self._alive -= 1
            sender.leave()

    def _report(self, task: asyncio.Task[None]) -> None:
        """Pass on a mistake of ours, or the caller would wait forever for an answer."""
        if not task.cancelled() and (mistake := task.exception()) is not None:
            self._batch.answers.put(mistake)


class _Sender:
    """One connection at a time, and the message in hand."""

    def __init__(self, batch: MessageBatch, pool: ConnectionPool) -> None:
        self._batch = batch
        self._pool = pool
        self._connection: Connection | None = None
        self._wire_message: WireMessage | None = None
        self._had_one = False  # a connection, in this batch
        self._is_plain = False  # the next connection is to do without pipelining

    async def take(self) -> bool:
        """Have a message in hand; False: there is none left."""
        if self._wire_message is not None and self._batch.failure is not None:
            self._wire_message = None
            self._batch.answer(None)
        self._wire_message = self._wire_message or await self._batch.take()
        return self._wire_message is not None

    def leave(self) -> None:
        if self._wire_message is not None:
            self._batch.give_back(self._wire_message)
        if self._connection is not None:
            self._pool.keep(self._connection)

    async def deliver(self) -> None:
        """
        See to the message in hand, and take the one that was announced in hand.

        Raises TemporaryFailure or PermanentFailure where the relay refuses us.
        """
        wire_message, connection = self._wire_message, await self._open()
        if wire_message is None:
            return
        if (refusal := why_not(wire_message, connection.extensions)) is not None:
            self._wire_message = None
            self._batch.answer_for(wire_message.message, refusal)
            return
        try:
            outcome = await connection.deliver(
                wire_message, self._announce, self._batch.about_to_hand_over
            )
        except RelayClosing as failure:
            self._hung_up(wire_message, connection, failure)
        except OutcomeUnknown as failure:
            self._wire_message = connection.announced
            self._batch.trouble(failure)
            self._batch.answer(MailOutcome(wire_message.message.key, Result.IN_DOUBT, str(failure)))
        else:
            self._wire_message = connection.announced
            self._learn(connection)
            self._batch.got_through()
            self._batch.answer_for(wire_message.message, outcome)
            if await self._pool.retire(connection):
                self._connection = None

    async def _open(self) -> Connection:
        if self._connection is None or not self._connection.is_open:
            self._connection = None  # it stays so where no other can be had
            self._connection = await self._pool.open(again=self._had_one, plain=self._is_plain)
            self._had_one = True
        return self._connection

    def _announce(self) -> WireMessage | None:
        """Return the message that may follow the one under way at once."""
        if self._connection is None or not self._pool.may_announce(self._connection):
            return None
        while (wire_message := self._batch.take_now()) is not None:
            refusal = why_not(wire_message, self._connection.extensions)
            if refusal is None:
                return wire_message
            self._batch.answer_for(wire_message.message, refusal)
        return None

    def _hung_up(
        self, wire_message: WireMessage, connection: Connection, failure: RelayClosing
    ) -> None:
        """
        Let the message in hand go over a new connection, or hold it back.

        A server that hangs up on a connection it has served (it counts messages or mistakes)
        means us and not this message. One that hangs up on pipelined commands may do better
        without; and before it has heard the recipient it can mean only us.
        """
        if connection.announced is not None and connection.announced is not wire_message:
            self._batch.give_back(connection.announced)
        if connection.delivered:
            return
        self._is_plain = connection.pipelines
        if self._is_plain:
            return
        self._batch.trouble(failure)
        if failure.at_recipient:
            self._wire_message = None
            self._batch.withhold(
                MailOutcome(wire_message.message.key, Result.DEFERRED, str(failure))
            )

    def _learn(self, connection: Connection) -> None:
        if self._is_plain:
            self._is_plain = False
            if not connection.pipelines:
                self._pool.mistrust_pipelining()
