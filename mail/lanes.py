"""Several connections that share one batch of messages."""

from __future__ import annotations

import asyncio

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from mail.batch import Batch
from mail.connection import Connection
from mail.envelope import why_not
from mail.pool import Pool
from mail.port import Outcome, Result
from mail.verdicts import RelayClosing
from mail.wire import Parcel


class Lanes:
    """
    The sending of one batch: each lane takes the next message when its connection is free.

    A lane that gets no connection leaves its message to the others (a relay may limit
    connections); when none gets one, the batch has failed.
    """

    def __init__(self, batch: Batch, pool: Pool) -> None:
        self._batch = batch
        self._pool = pool
        self._alive = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, lanes: int) -> None:
        self._alive = lanes
        self._tasks = [asyncio.ensure_future(self._run()) for _ in range(lanes)]
        for task in self._tasks:
            task.add_done_callback(self._report)

    async def stop(self) -> None:
        """Let the lanes go: those at rest keep their connections, those at work lose theirs."""
        self._batch.end(len(self._tasks))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.05)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        lane = _Lane(self._batch, self._pool)
        try:
            while await lane.take():
                try:
                    await lane.deliver()
                except (TemporaryFailure, PermanentFailure) as failure:
                    if self._alive > 1 and self._batch.failure is None:
                        return  # another lane may have a connection
                    self._batch.give_up(failure)
        finally:
            self._alive -= 1
            lane.leave()

    def _report(self, task: asyncio.Task[None]) -> None:
        """Pass on a mistake of ours, or the caller would wait forever for an answer."""
        if not task.cancelled() and (mistake := task.exception()) is not None:
            self._batch.answers.put(mistake)


class _Lane:
    """One connection at a time, and the message in hand."""

    def __init__(self, batch: Batch, pool: Pool) -> None:
        self._batch = batch
        self._pool = pool
        self._connection: Connection | None = None
        self._parcel: Parcel | None = None
        self._had_one = False  # a connection, in this batch
        self._is_plain = False  # the next connection is to do without pipelining

    async def take(self) -> bool:
        """Have a message in hand; False: there is none left."""
        if self._parcel is not None and self._batch.failure is not None:
            self._parcel = None
            self._batch.answer(None)
        self._parcel = self._parcel or await self._batch.take()
        return self._parcel is not None

    def leave(self) -> None:
        if self._parcel is not None:
            self._batch.give_back(self._parcel)
        if self._connection is not None:
            self._pool.keep(self._connection)

    async def deliver(self) -> None:
        """
        See to the message in hand, and take the one that was announced in hand.

        Raises TemporaryFailure or PermanentFailure where the relay refuses us.
        """
        parcel, connection = self._parcel, await self._open()
        if parcel is None:
            return
        if (refusal := why_not(parcel, connection.extensions)) is not None:
            self._parcel = None
            self._batch.answer_for(parcel.message, refusal)
            return
        try:
            outcome = await connection.deliver(
                parcel, self._announce, self._batch.about_to_hand_over
            )
        except RelayClosing as failure:
            self._hung_up(parcel, connection, failure)
        except OutcomeUnknown as failure:
            self._parcel = connection.announced
            self._batch.trouble(failure)
            self._batch.answer(Outcome(parcel.message.key, Result.IN_DOUBT, str(failure)))
        else:
            self._parcel = connection.announced
            self._learn(connection)
            self._batch.got_through()
            self._batch.answer_for(parcel.message, outcome)
            if await self._pool.retire(connection):
                self._connection = None

    async def _open(self) -> Connection:
        if self._connection is None or not self._connection.is_open:
            self._connection = None  # it stays so where no other can be had
            self._connection = await self._pool.open(again=self._had_one, plain=self._is_plain)
            self._had_one = True
        return self._connection

    def _announce(self) -> Parcel | None:
        """Return the message that may follow the one under way at once."""
        if self._connection is None or not self._pool.may_announce(self._connection):
            return None
        while (parcel := self._batch.take_now()) is not None:
            refusal = why_not(parcel, self._connection.extensions)
            if refusal is None:
                return parcel
            self._batch.answer_for(parcel.message, refusal)
        return None

    def _hung_up(self, parcel: Parcel, connection: Connection, failure: RelayClosing) -> None:
        """
        Let the message in hand go over a new connection, or hold it back.

        A server that hangs up on a connection it has served (it counts messages or mistakes)
        means us and not this message. One that hangs up on pipelined commands may do better
        without; and before it has heard the recipient it can mean only us.
        """
        if connection.announced is not None and connection.announced is not parcel:
            self._batch.give_back(connection.announced)
        if connection.delivered:
            return
        self._is_plain = connection.pipelines
        if self._is_plain:
            return
        self._batch.trouble(failure)
        if failure.at_recipient:
            self._parcel = None
            self._batch.suspect(Outcome(parcel.message.key, Result.DEFERRED, str(failure)))

    def _learn(self, connection: Connection) -> None:
        if self._is_plain:
            self._is_plain = False
            if not connection.pipelines:
                self._pool.mistrust_pipelining()
