"""Asking the gateway for a batch, some requests at a time and none with a transaction open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from payments.draws import Draw
from payments.gateway import DrawResult, GatewayMisuse, PaymentGateway
from payments.terms import Clock
from rules.retrying import may_still_ask

T = TypeVar("T")
Failure = TemporaryFailure | PermanentFailure | OutcomeUnknown | GatewayMisuse
FAILURES = (TemporaryFailure, PermanentFailure, OutcomeUnknown, GatewayMisuse)
SILENT_AFTER = 3  # failures in a row: one request may fail by itself
NOT_ASKED = "not asked: the gateway is down, or somebody stopped the work"


@dataclass(slots=True)
class Line:
    """
    The line to the gateway during one piece of work: `stopped_by` says why no more is asked.

    A gateway that is down, or says that we ask wrongly, would answer the next request the same.
    One failure is no outage: the others of a batch are still asked for.
    """

    gateway: PaymentGateway
    now: Clock
    threads: int = 1
    stop: Callable[[], bool] = lambda: False
    stopped_by: str = ""
    misuse: GatewayMisuse | None = None
    trouble: str = ""  # of the newest requests, while none has been answered since
    _in_a_row: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_open(self) -> bool:
        return not self.stopped_by and not self.stop()

    def prepare(self, draws: Sequence[Draw]) -> list[str | Failure]:
        """Announce draws; a draw that could not be announced has its failure in its place."""
        return self._each(lambda one: self.gateway.prepare(one.request), draws)

    def confirm(self, draws: Sequence[Draw]) -> list[DrawResult | Failure]:
        """Draw what was announced; each has its answer or its failure in its place."""
        return self._each(self.confirm_one, draws)

    def confirm_one(self, one: Draw) -> DrawResult:
        """
        Draw one; raises OutcomeUnknown where it was recorded too long ago to be asked safely.

        A process may sleep between recording and asking, and wake when the key is forgotten.
        """
        if one.asked_at is None or one.reference is None:
            raise ValueError(f"the draw {one.key} was not recorded as asked")
        if not may_still_ask(one.asked_at, self.now(), self.gateway.key_window):
            raise OutcomeUnknown("recorded too long ago to be asked under the same key")
        return self.gateway.confirm(one.reference, one.request)

    def each(self, ask: Callable[[Draw], T], draws: Sequence[Draw]) -> list[T | Failure]:
        """Ask for each draw in turn or some at a time; answers come in the draws' order."""
        return self._each(ask, draws)

    def _each(self, ask: Callable[[Draw], T], draws: Sequence[Draw]) -> list[T | Failure]:
        return list(self._answers(lambda one: self._one(ask, one), draws))

    def _answers(self, work: Callable[[Draw], T], draws: Sequence[Draw]) -> Iterator[T]:
        if self.threads == 1 or len(draws) < 2:
            yield from map(work, draws)
            return
        with ThreadPoolExecutor(min(self.threads, len(draws))) as pool:
            yield from pool.map(work, draws)

    def _one(self, ask: Callable[[Draw], T], one: Draw) -> T | Failure:
        if not self.is_open:
            return TemporaryFailure(NOT_ASKED)
        try:
            answer = ask(one)
        except FAILURES as failure:
            self._note(failure)
            return failure
        with self._turn:
            self.trouble, self._in_a_row = "", 0
        return answer

    def _note(self, failure: Failure) -> None:
        with self._turn:
            if isinstance(failure, GatewayMisuse):
                self.misuse = self.misuse or failure
            elif not isinstance(failure, TemporaryFailure):
                return
            self.trouble = str(failure) or "the payment gateway is down"
            self._in_a_row += 1
            if self.misuse is not None or self._in_a_row >= SILENT_AFTER:
                self.stopped_by = self.stopped_by or self.trouble
