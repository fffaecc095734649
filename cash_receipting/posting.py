"""Entering in cash receipting what was taken: each payment once, whatever the service does."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from cash_receipting.asking import Silence
from cash_receipting.batch import Batch
from cash_receipting.breaker import Breaker, Leave
from cash_receipting.claimed import Claimed
from cash_receipting.port import CashReceipting
from cash_receipting.queue import choose_probe, claim, list_due, make_due
from database.books import Database
from domain.failures import OutcomeUnknown, TemporaryFailure
from domain.money import ZERO, Money
from domain.payments import PostingState

LARGEST_BATCH = 64
QUICK = timedelta(seconds=15)  # a batch that took longer is followed by a small one


@dataclass(frozen=True, slots=True)
class PostingCounts:
    """What one round did; `stopped_by` says why the service was left alone."""

    posted: int = 0
    amount: Money = ZERO
    put_off: int = 0
    rejected: int = 0
    stopped_by: str = ""


def post_due(
    database: Database,
    system: CashReceipting,
    clock: Callable[[], datetime],
    *,
    forced: bool = False,
    chance: Callable[[], float] = random.random,
    progress: Callable[[PostingCounts], None] = lambda _counts: None,
) -> PostingCounts:
    """
    Post what is due, oldest money first; never charges anybody (rules 85, 87).

    Safe beside other workers and after any crash: what is marked as asked for is looked up before
    it is asked for again. A service that fell silent is probed by one worker at a time with the
    oldest posting. `forced`: what rests is due at once, and a silent service is probed.
    """
    if forced:
        make_due(database, clock())
    poster = _Poster(database, system, clock, chance, progress)
    leave = poster.breaker.ask_leave(clock(), forced=forced)
    if leave is Leave.WAIT:
        return PostingCounts(stopped_by="the service is down and is tried again later")
    if leave is Leave.ASK or poster.probe():
        poster.drain()
    return poster.counts


@dataclass
class _Poster:
    database: Database
    system: CashReceipting
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    progress: Callable[[PostingCounts], None]
    counts: PostingCounts = field(default_factory=PostingCounts)

    @property
    def breaker(self) -> Breaker:
        return Breaker(self.database, self.system.name, self.chance)

    def probe(self) -> bool:
        """Try a silent service with the oldest posting; tell whether it is back."""
        try:
            self.system.check_health()
        except (TemporaryFailure, OutcomeUnknown) as failure:
            self.breaker.note_failure(self.clock(), str(failure))
            self.counts = replace(self.counts, stopped_by=str(failure))
            return False
        oldest = claim(self.database, choose_probe(self.database), self.clock(), due_by=None)
        if not oldest:
            self.breaker.note_success()
            return True
        return self._work_on(oldest, is_probe=True)

    def drain(self) -> None:
        """Post all that is due, in batches that grow while the service answers."""
        size = 1
        while keys := list_due(self.database, self.clock()):
            waiting = iter(keys)
            while batch := list(islice(waiting, size)):
                now = self.clock()
                claimed = claim(self.database, batch, now, due_by=now)
                if not claimed:
                    continue  # other workers have them: that says nothing of the service
                if not self._work_on(claimed):
                    return
                is_quick = self.clock() - now < QUICK
                size = min(LARGEST_BATCH, size * 2) if is_quick else 1

    def _work_on(self, claimed: list[Claimed], *, is_probe: bool = False) -> bool:
        """Work on one batch; tell whether the service may be asked for more."""
        batch = Batch(self.database, self.system, self.clock, claimed)
        batch.ask()
        is_down = self._note(batch.silence)
        condemns = not (is_probe or is_down)  # a silent service says nothing of one posting
        for one, state in batch.record(self.chance, may_give_up=condemns):
            self._count(state, one.request.amount)
        self.progress(self.counts)
        return not is_down

    def _note(self, silence: Silence) -> bool:
        """Tell the breaker how a batch went; return whether the service counts as down."""
        if silence.has_answered:
            self.breaker.note_success()
        is_down = False
        for failure in silence.failures:
            is_down = self.breaker.note_failure(self.clock(), failure)
        if is_down:
            self.counts = replace(self.counts, stopped_by=silence.failures[-1])
        return is_down

    def _count(self, state: PostingState, amount: Money) -> None:
        counts = self.counts
        if state is PostingState.POSTED:
            self.counts = replace(counts, posted=counts.posted + 1, amount=counts.amount + amount)
        elif state is PostingState.REJECTED:
            self.counts = replace(counts, rejected=counts.rejected + 1)
        else:
            self.counts = replace(counts, put_off=counts.put_off + 1)
