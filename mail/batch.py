"""One batch under way: what waits, what is answered, and whose fault a trouble is."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.failures import PermanentFailure, TemporaryFailure
from mail.port import Hook, Outcome, OutgoingMessage
from mail.wire import Parcel

TROUBLES = 3  # lost connections in a row that make it the relay's fault and not a message's


@dataclass(frozen=True, slots=True)
class Held:
    """
    How many messages have no answer yet because others are to show whose fault it is.

    The caller may wait for them before it puts the next, so it is told to go on.
    """

    count: int


@dataclass(frozen=True, slots=True)
class TooLarge:
    """
    A message that was refused for its size, made smaller: the caller is to put it again.

    It still has no answer, and whoever asked to be told of one is told of the smaller one's.
    """

    smaller: OutgoingMessage


# None: surely not handed over, no relay
Answer = Outcome | BaseException | Held | TooLarge | None


@dataclass
class Batch:
    """
    The messages that lanes share; lives in the lanes' event loop, but for `answers`.

    Every message put gets exactly one answer, and Held is none. Once `failure` is set,
    what has not been handed over is answered with None.
    """

    hook: Hook
    answers: queue.SimpleQueue[Answer] = field(default_factory=queue.SimpleQueue)
    failure: TemporaryFailure | PermanentFailure | None = None
    _todo: asyncio.Queue[Parcel | None] = field(default_factory=asyncio.Queue)
    _ends: dict[str, Callable[[Outcome], None]] = field(default_factory=dict)
    _suspects: list[Outcome] = field(default_factory=list)
    _under_way: int = 0  # messages without an answer, suspects left out
    _is_complete: bool = False  # all messages have been put
    _troubles: int = 0

    def put(self, parcel: Parcel) -> None:
        self._under_way += 1
        self._todo.put_nowait(parcel)

    def complete(self) -> None:
        """Note that no more messages will be put."""
        self._is_complete = True
        self._judge()

    def give_back(self, parcel: Parcel) -> None:
        """Return what was put and taken, for whoever is free."""
        self._todo.put_nowait(parcel)

    async def take(self) -> Parcel | None:
        """Wait for a message; None: there will be no more."""
        while (parcel := await self._todo.get()) is not None and self.failure is not None:
            self.answer(None)
        return parcel

    def take_now(self) -> Parcel | None:
        """Return a message that is waiting, if one is."""
        if self._todo.empty() or self.failure is not None:
            return None
        parcel = self._todo.get_nowait()
        if parcel is None:
            self._todo.put_nowait(None)
        return parcel

    def end(self, lanes: int) -> None:
        """Forget what nobody has taken, and let that many lanes know that it is over."""
        while not self._todo.empty():
            self._todo.get_nowait()
        for _ in range(lanes):
            self._todo.put_nowait(None)

    def about_to_hand_over(self, key: str) -> None:
        """Tell the caller; what it returns is told the outcome."""
        if (end := self.hook(key)) is not None:
            self._ends[key] = end

    def answer(self, answer: Outcome | None) -> None:
        self._under_way -= 1
        self._pass_on(answer)
        self._judge()

    def answer_for(self, message: OutgoingMessage, outcome: Outcome) -> None:
        """Give a message its answer, or ask for a smaller one where its size alone was wrong."""
        smaller = message.made_smaller() if outcome.too_large else None
        if smaller is None:
            self.answer(outcome)
        else:
            self.answers.put(TooLarge(smaller))

    def got_through(self) -> None:
        """Note that the relay answered for a message: whoever failed before it failed alone."""
        self._troubles = 0
        self._judge(is_working=True)

    def suspect(self, outcome: Outcome) -> None:
        """
        Hold back the outcome of a message at which the relay hung up.

        If another message gets through, or none is left to show it, the message is to blame. If
        the relay goes on hanging up it is the relay, and costs the message nothing.
        """
        self._under_way -= 1
        self._suspects.append(outcome)
        self.answers.put(Held(len(self._suspects)))
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
            verdicts: list[Outcome | None] = [None] * len(self._suspects)
        elif is_working or (self._is_complete and not self._under_way):
            verdicts = [*self._suspects]
        else:
            return
        if self._suspects:
            self._suspects.clear()
            self.answers.put(Held(0))
        for verdict in verdicts:
            self._pass_on(verdict)

    def _pass_on(self, answer: Outcome | None) -> None:
        """Give an answer to who asked to be told at once, and to the caller."""
        end = None if answer is None else self._ends.pop(answer.key, None)
        if answer is not None and end is not None:
            end(answer)
        self.answers.put(answer)
