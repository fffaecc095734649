"""What came of a sending, counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.deliveries import DeliveryStatus
from mail.outbox import Delivery
from mail.port import Outcome, Result

STOPPED = "stopped"  # because somebody asked for it
_POLICY = re.compile(r"5\d\d 5\.7\.")  # RFC 3463: security or policy; not about the mailbox


@dataclass(frozen=True, slots=True)
class SendCounts:
    """
    What became of the deliveries tried; `stopped_by` says why it ended early, if it did.

    `mailed_nobody`: something was due, nothing was sent, and that is not for the mailboxes' own
    sake: the relay was unavailable, or of those asked for the first time one was put off or
    refused by policy. A mailbox that puts us off again says nothing new.
    """

    sent: int = 0
    failed: int = 0
    deferred: int = 0
    in_doubt: int = 0
    stopped_by: str = ""
    possible_duplicates: int = 0  # of those sent
    mailed_nobody: bool = False

    @property
    def unsent(self) -> int:
        return self.failed + self.deferred + self.in_doubt


@dataclass(slots=True)
class Tally:
    """Counts outcomes as they are written down."""

    statuses: Counter[DeliveryStatus] = field(default_factory=Counter)
    possible_duplicates: int = 0
    not_their_fault: int = 0  # put off, in doubt or refused by policy at the first attempt
    left: Counter[DeliveryStatus] = field(default_factory=Counter)  # of the statuses: when it ended

    def add(
        self, statuses: list[DeliveryStatus], tried: Iterable[tuple[Delivery, Outcome]]
    ) -> None:
        self.statuses.update(statuses)
        for row, outcome in tried:
            if outcome.result is Result.SENT:
                self.possible_duplicates += row.possible_duplicate
            elif row.attempts == 0 and not _is_mailboxs_own(outcome):
                self.not_their_fault += 1

    def leave(self, status: DeliveryStatus, number: int) -> None:
        """Count what was claimed and let go of: whoever sends next takes it over."""
        self.statuses[status] += number
        self.left[status] += number

    def counts(self, stopped_by: str) -> SendCounts:
        sent = self.statuses[DeliveryStatus.SENT]
        is_down = stopped_by not in ("", STOPPED)
        return SendCounts(
            sent=sent,
            failed=self.statuses[DeliveryStatus.FAILED],
            deferred=self.statuses[DeliveryStatus.DEFERRED],
            in_doubt=self.statuses[DeliveryStatus.IN_DOUBT],
            stopped_by=stopped_by,
            possible_duplicates=self.possible_duplicates,
            mailed_nobody=sent == 0 and (is_down or self.not_their_fault > 0),
        )


def _is_mailboxs_own(outcome: Outcome) -> bool:
    return outcome.result is Result.FAILED and not _POLICY.match(outcome.error)
