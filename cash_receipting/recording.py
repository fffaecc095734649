"""Writing down what cash receipting answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from cash_receipting.asking import Answer, Failure
from cash_receipting.claimed import Claimed
from cash_receipting.port import PostingRequest, Receipt, ServiceDown
from cash_receipting.queue import change
from database.tables import posting
from domain.failures import OutcomeUnknown, PermanentFailure
from domain.payments import POSTING, PostingState
from rules.posting import is_given_up, next_wait

POLL = timedelta(minutes=15)  # how often a receipt that comes later is looked for
ERROR_LENGTH = 300
WAITS = "handed over; cash receipting has not acknowledged it yet"


@dataclass(frozen=True, slots=True)
class Asked:
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

    def record(self, asked: Asked) -> PostingState:
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

    def _posted(self, asked: Asked, receipt: Receipt) -> PostingState:
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

    def _put_off(self, asked: Asked, why: str, attempts: int, wait: timedelta) -> PostingState:
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

    def _give_up(self, asked: Asked, why: str) -> PostingState:
        error = f"given up after {asked.attempts} tries: {why}"
        return self._move(asked, "given up", error=error)

    def _move(self, asked: Asked, event: str, *, error: str, is_sure: bool = False) -> PostingState:
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
