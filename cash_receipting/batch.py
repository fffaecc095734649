"""One batch of postings: looked up where that is due, asked for, and written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cash_receipting.asking import Answer, Silence, ask_all
from cash_receipting.claimed import Claimed
from cash_receipting.port import CashReceipting, Receipt
from cash_receipting.queue import ASKING_WINDOW, mark_asked
from cash_receipting.recording import Asked, Recorder
from database.books import Database
from domain.failures import OutcomeUnknown, TemporaryFailure
from domain.payments import PostingState


@dataclass
class Batch:
    """
    What one worker does with the postings that it has claimed.

    Those that may be there are looked up first. What is to be asked for is recorded so, in a
    transaction of its own; then the service is asked; then the answers are recorded together.
    """

    database: Database
    system: CashReceipting
    clock: Callable[[], datetime]
    claimed: Sequence[Claimed]
    silence: Silence = field(default_factory=Silence)
    found: dict[str, Answer] = field(default_factory=dict)
    posted: dict[str, Answer] = field(default_factory=dict)
    marked: dict[str, datetime] = field(default_factory=dict)  # when it was marked as asked for

    def ask(self) -> None:
        """Look up, then post what surely is not there or is known there by its key."""
        doubtful = [one for one in self.claimed if one.asked_at is not None]
        self.found = ask_all(self._find, doubtful, self.silence, lambda: True)
        asked_at = self.clock()
        to_post = mark_asked(self.database, self._to_post(asked_at), asked_at)
        self.marked = {one.key: asked_at for one in to_post}
        self.posted = ask_all(
            self._post, to_post, self.silence, lambda: self.clock() - asked_at < ASKING_WINDOW
        )
        try:
            self.system.hand_over()
        except (TemporaryFailure, OutcomeUnknown) as failure:
            self.silence.note(failure)

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
            return recorder.record(Asked(one, marked_at, one.attempts + 1, answer))
        if marked_at is None and self.found.get(one.key) is not None:
            answer = self.found[one.key]
            return recorder.record(Asked(one, one.asked_at, one.attempts + 1, answer))

        due_at = recorder.now
        if marked_at is None and one.asked_at is not None and self._is_missing(one):
            due_at = max(due_at, one.asked_at + self._doubt_lasts)
        recorder.release(one, marked_at or one.asked_at, due_at)
        return None
