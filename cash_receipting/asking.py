"""Asking cash receipting for several postings at a time, and stopping when it falls silent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from cash_receipting.port import PostingRequest, Receipt, ServiceDown
from cash_receipting.queue import Claimed, change
from database.tables import posting
from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.payments import POSTING, PostingState
from rules.money.posting import FAILURES_TO_OPEN, is_given_up, next_wait

AT_A_TIME = 4

Failure = TemporaryFailure | PermanentFailure | OutcomeUnknown
Answer = Receipt | Failure | None


class OutageCounter:
    """How often in a row the service failed, as the threads of one batch see it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self.failures: list[str] = []  # since the last answer
        self.has_answered = False

    @property
    def is_over(self) -> bool:
        return len(self.failures) < FAILURES_TO_OPEN

    def note(self, answer: Answer) -> None:
        """A refusal is an answer too: the service is well, the posting is not."""
        with self._turn:
            if isinstance(answer, TemporaryFailure | OutcomeUnknown):
                self.failures.append(str(answer))
            else:
                self.failures.clear()
                self.has_answered = True


def ask_all(
    ask: Callable[[Claimed], Receipt | None],
    claimed: Sequence[Claimed],
    outages: OutageCounter,
    may_ask: Callable[[], bool],
    threads: int = AT_A_TIME,
) -> dict[str, Answer]:
    """
    Ask for each posting and return the answers by key; those not asked for are missing.

    No more are asked for once the service has failed three times in a row, or `may_ask` says no.
    With one thread they are asked for in turn, each after the answer to the one before.
    """

    def answer(one: Claimed) -> tuple[str, Answer] | None:
        if not outages.is_over or not may_ask():
            return None
        found: Answer
        try:
            found = ask(one)
        except (TemporaryFailure, PermanentFailure, OutcomeUnknown) as failure:
            found = failure
        outages.note(found)
        return one.key, found

    if threads == 1 or len(claimed) < 2:
        asked = [answer(one) for one in claimed]
    else:
        with ThreadPoolExecutor(min(threads, len(claimed))) as workers:
            asked = list(workers.map(answer, claimed))
    return dict(one for one in asked if one is not None)


POLL = timedelta(minutes=15)  # how often a receipt that comes later is looked for
ERROR_LENGTH = 300
WAITS = "handed over; cash receipting has not acknowledged it yet"


@dataclass(frozen=True, slots=True)
class AskedPosting:
    """One posting, when it was last asked for, and what came of it."""

    claimed: Claimed
    asked_at: datetime | None
    attempts: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Recorder:
    """
    Writes answers down, all of a batch in one transaction.

    `may_give_up` is no while the service as a whole is in doubt: that condemns no posting.
    """

    books: Connection
    now: datetime
    chance: Callable[[], float]
    may_give_up: bool

    def release(self, claimed: Claimed, asked_at: datetime | None, due_at: datetime) -> None:
        """Put back a posting that was not asked for after all: it stands as it stood before."""
        self._change(
            claimed.key,
            asked_at,
            state=_state_of_doubt(claimed.asked_at),
            asked_at=claimed.asked_at,
            attempts=claimed.attempts,
            next_retry_at=due_at,
        )

    def record(self, asked: AskedPosting) -> PostingState:
        """Write an answer down and return where the posting stands then."""
        answer, key = asked.answer, asked.claimed.key
        if isinstance(answer, Receipt):
            if not agrees(answer, asked.claimed.request):
                error = (
                    f"cash receipting has another account or amount under receipt {answer.number}"
                )
                return self._move(asked, "rejected", error=error)
            return self._posted(asked, answer)
        if answer is None:
            return self._put_off(asked, WAITS, asked.claimed.attempts, POLL)
        if isinstance(answer, PermanentFailure):
            return self._move(asked, "rejected", error=_say(answer), is_sure=True)
        if isinstance(answer, OutcomeUnknown):
            wait = next_wait(asked.attempts, self.chance())
            return self._put_off(asked, _say(answer), asked.attempts, wait)
        before = asked.claimed.asked_at
        state = _state_of_doubt(before)
        is_its_own = not isinstance(answer, ServiceDown)  # no posting is to blame for an outage
        if is_its_own and self._is_given_up(asked.attempts, asked.claimed):
            return self._give_up(asked, _say(answer))
        wait = next_wait(asked.attempts, self.chance())
        values = {"asked_at": before, "attempts": asked.attempts, "error": _say(answer)}
        self._change(key, asked.asked_at, state=state, next_retry_at=self.now + wait, **values)
        return state

    def _posted(self, asked: AskedPosting, receipt: Receipt) -> PostingState:
        state = POSTING.after(PostingState.SUBMITTED, "posted")
        values: dict[str, Any] = {
            "state": state, "receipt": receipt.number, "posted_at": self.now, "error": None,
        }  # fmt: skip
        if not self._change(asked.claimed.key, asked.asked_at, **values):
            self.books.execute(  # another worker looks it up just now, and will find the same
                posting.update()
                .where(
                    posting.c.key == asked.claimed.key, posting.c.state == PostingState.SUBMITTED
                )
                .values(**values)
            )
        return state

    def _put_off(
        self, asked: AskedPosting, why: str, attempts: int, wait: timedelta
    ) -> PostingState:
        if self._is_given_up(attempts, asked.claimed):
            return self._give_up(asked, why)
        self._change(
            asked.claimed.key,
            asked.asked_at,
            attempts=attempts,
            next_retry_at=self.now + wait,
            error=why,
        )
        return PostingState.SUBMITTED

    def _is_given_up(self, attempts: int, claimed: Claimed) -> bool:
        return self.may_give_up and is_given_up(attempts, claimed.created_at, self.now)

    def _give_up(self, asked: AskedPosting, why: str) -> PostingState:
        error = f"given up after {asked.attempts} tries: {why}"
        return self._move(asked, "given up", error=error)

    def _move(
        self, asked: AskedPosting, event: str, *, error: str, is_sure: bool = False
    ) -> PostingState:
        """Move a posting; it is still looked up first later, unless it surely is not there."""
        state = POSTING.after(PostingState.SUBMITTED, event)
        asked_at = None if is_sure else asked.asked_at
        values = {"asked_at": asked_at, "attempts": asked.attempts}
        self._change(asked.claimed.key, asked.asked_at, state=state, error=error, **values)
        return state

    def _change(self, key: str, last_asked_at: datetime | None, **values: Any) -> bool:
        return change(self.books, key, last_asked_at, values)


def agrees(receipt: Receipt, request: PostingRequest) -> bool:
    """Tell whether what cash receipting has is what it was asked to enter."""
    theirs = (receipt.key, receipt.account, receipt.amount)
    return theirs == (request.key, request.account, request.amount)


def _state_of_doubt(asked_at: datetime | None) -> PostingState:
    """What was asked for before may be there; what was not is surely not."""
    if asked_at is not None:
        return PostingState.SUBMITTED
    return POSTING.after(PostingState.SUBMITTED, "never arrived")


def _say(failure: Failure) -> str:
    return str(failure)[:ERROR_LENGTH]
