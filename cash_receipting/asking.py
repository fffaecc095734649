"""Asking cash receipting for several postings at a time, and stopping when it falls silent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from cash_receipting.claimed import Claimed
from cash_receipting.port import Receipt
from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from rules.posting import FAILURES_TO_OPEN

AT_A_TIME = 4

Failure = TemporaryFailure | PermanentFailure | OutcomeUnknown
Answer = Receipt | Failure | None


class Silence:
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
    silence: Silence,
    may_ask: Callable[[], bool],
) -> dict[str, Answer]:
    """
    Ask for each posting and return the answers by key; those not asked for are missing.

    No more are asked for once the service has failed three times in a row, or `may_ask` says no.
    """

    def answer(one: Claimed) -> tuple[str, Answer] | None:
        if not silence.is_over or not may_ask():
            return None
        found: Answer
        try:
            found = ask(one)
        except (TemporaryFailure, PermanentFailure, OutcomeUnknown) as failure:
            found = failure
        silence.note(found)
        return one.key, found

    if len(claimed) < 2:
        asked = [answer(one) for one in claimed]
    else:
        with ThreadPoolExecutor(min(AT_A_TIME, len(claimed))) as workers:
            asked = list(workers.map(answer, claimed))
    return dict(one for one in asked if one is not None)
