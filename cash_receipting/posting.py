"""Entering in cash receipting what was taken: each payment once, whatever the service does."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from cash_receipting.asking import (
    AT_A_TIME,
    Answer,
    AskedPosting,
    OutageCounter,
    Recorder,
    ask_all,
)
from cash_receipting.circuit_breaker import Breaker, Leave
from cash_receipting.port import CashReceipting, Receipt
from cash_receipting.queue import (
    ASKING_WINDOW,
    Claimed,
    choose_probe,
    claim,
    list_due,
    make_due,
    mark_asked,
)
from database.books import Database
from domain.failures import OutcomeUnknown, TemporaryFailure
from domain.money import ZERO, Money
from domain.payments import PostingState


@dataclass
class PostingBatch:
    """
    What one worker does with the postings that it has claimed.

    Those that may be there are looked up first. What is to be asked for is recorded so, in a
    transaction of its own; then the service is asked; then the answers are recorded together.
    """

    database: Database
    system: CashReceipting
    clock: Callable[[], datetime]
    claimed: Sequence[Claimed]
    threads: int = AT_A_TIME
    outages: OutageCounter = field(default_factory=OutageCounter)
    found: dict[str, Answer] = field(default_factory=dict)
    posted: dict[str, Answer] = field(default_factory=dict)
    marked: dict[str, datetime] = field(default_factory=dict)  # when it was marked as asked for

    def ask(self) -> None:
        """Look up, then post what surely is not there or is known there by its key."""
        doubtful = [one for one in self.claimed if one.asked_at is not None]
        self.found = ask_all(self._find, doubtful, self.outages, lambda: True, self.threads)
        asked_at = self.clock()
        to_post = mark_asked(self.database, self._to_post(asked_at), asked_at)
        self.marked = {one.key: asked_at for one in to_post}
        self.posted = ask_all(
            self._post,
            to_post,
            self.outages,
            lambda: self.clock() - asked_at < ASKING_WINDOW,
            self.threads,
        )
        try:
            self.system.hand_over()
        except (TemporaryFailure, OutcomeUnknown) as failure:
            self.outages.note(failure)

    def record(
        self, chance: Callable[[], float], *, may_give_up: bool
    ) -> list[tuple[Claimed, PostingState]]:
        """Write the answers down; return where each posting stands that was asked for."""
        with self.database.writing() as books:
            recorder = Recorder(books, self.clock(), chance, may_give_up)
            outcomes = [(one, self._record(recorder, one)) for one in self.claimed]
        return [(one, state) for one, state in outcomes if state is not None]

    def _find(self, one: Claimed) -> Receipt | None:
        return self.system.find(one.request)

    def _post(self, one: Claimed) -> Receipt | None:
        return self.system.post(one.request)

    def _to_post(self, now: datetime) -> Iterator[Claimed]:
        for one in self.claimed:
            if one.asked_at is None or (
                self._is_missing(one)
                and (self.system.keeps_keys or now >= one.asked_at + self._doubt_lasts)
            ):
                yield one

    def _is_missing(self, one: Claimed) -> bool:
        return one.key in self.found and self.found[one.key] is None

    @property
    def _doubt_lasts(self) -> timedelta:
        """How long after it was asked for a posting that is not there may still arrive."""
        return ASKING_WINDOW + self.system.longest_in_flight

    def _record(self, recorder: Recorder, one: Claimed) -> PostingState | None:
        marked_at = self.marked.get(one.key)
        if one.key in self.posted:
            answer = self.posted[one.key]
            return recorder.record(AskedPosting(one, marked_at, one.attempts + 1, answer))
        if marked_at is None and self.found.get(one.key) is not None:
            answer = self.found[one.key]
            return recorder.record(AskedPosting(one, one.asked_at, one.attempts + 1, answer))

        due_at = recorder.now
        if marked_at is None and one.asked_at is not None and self._is_missing(one):
            due_at = max(due_at, one.asked_at + self._doubt_lasts)
        recorder.release(one, marked_at or one.asked_at, due_at)
        return None


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
    threads: int = AT_A_TIME,
    chance: Callable[[], float] = random.random,
    progress: Callable[[PostingCounts], None] = lambda _counts: None,
) -> PostingCounts:
    """
    Post what is due, oldest money first; never charges anybody (rules 85, 87).

    Safe beside other workers and after any crash: what is marked as asked for is looked up before
    it is asked for again. A service that fell silent is probed by one worker at a time with the
    oldest posting. `forced`: what rests is due at once, and a silent service is probed. `threads`
    is how many postings of a batch are asked for at a time.
    """
    if forced:
        make_due(database, clock())
    poster = _Poster(database, system, clock, chance, progress, threads)
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
    threads: int
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
        batch = PostingBatch(self.database, self.system, self.clock, claimed, self.threads)
        batch.ask()
        is_down = self._note(batch.outages)
        condemns = not (is_probe or is_down)  # a silent service says nothing of one posting
        for one, state in batch.record(self.chance, may_give_up=condemns):
            self._count(state, one.request.amount)
        self.progress(self.counts)
        return not is_down

    def _note(self, outages: OutageCounter) -> bool:
        """Tell the breaker how a batch went; return whether the service counts as down."""
        if outages.has_answered:
            self.breaker.note_success()
        is_down = False
        for failure in outages.failures:
            is_down = self.breaker.note_failure(self.clock(), failure)
        if is_down:
            self.counts = replace(self.counts, stopped_by=outages.failures[-1])
        return is_down

    def _count(self, state: PostingState, amount: Money) -> None:
        counts = self.counts
        if state is PostingState.POSTED:
            self.counts = replace(counts, posted=counts.posted + 1, amount=counts.amount + amount)
        elif state is PostingState.REJECTED:
            self.counts = replace(counts, rejected=counts.rejected + 1)
        else:
            self.counts = replace(counts, put_off=counts.put_off + 1)
