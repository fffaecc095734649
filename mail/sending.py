"""Sending what is due: claim, deliver, mark, until nothing is left."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from database.books import Database
from domain.deliveries import DeliveryStatus
from domain.failures import PermanentFailure, TemporaryFailure
from mail.marking import mark, put_back
from mail.outbox import Delivery, claim, release_lost
from mail.port import Mailer, Outcome, OutgoingMessage

LEASE = timedelta(minutes=15)  # more than the ten minutes a server may take after the final dot
GROUP = 16  # outcomes written down at once: a crash makes duplicates of so many at most
GROUP_SECONDS = 0.25


class Render(Protocol):
    """Makes messages of deliveries; what no message can be made of comes as its outcome."""

    def __call__(self, deliveries: Sequence[Delivery]) -> Iterable[OutgoingMessage | Outcome]: ...


@dataclass(frozen=True, slots=True)
class SendCounts:
    """What became of the deliveries tried; `stopped_by` says why it ended early, if it did."""

    sent: int = 0
    failed: int = 0
    deferred: int = 0
    in_doubt: int = 0
    stopped_by: str = ""


@dataclass(slots=True)
class _Sending:
    """One call of send_due."""

    database: Database
    mailer: Mailer
    render: Render
    clock: Callable[[], datetime]
    owner: str
    lease: timedelta
    is_stopped: Callable[[], bool]
    progress: Callable[[SendCounts], None]
    statuses: Counter[DeliveryStatus] = field(default_factory=Counter)
    stopped_by: str = ""
    # of the batch under way:
    waiting: dict[str, Delivery] = field(default_factory=dict)  # claimed, no outcome yet
    handed_over: set[str] = field(default_factory=set)
    unmarked: list[tuple[Delivery, Outcome]] = field(default_factory=list)
    marked_at: float = 0.0  # monotonic seconds

    @property
    def counts(self) -> SendCounts:
        return SendCounts(
            sent=self.statuses[DeliveryStatus.SENT],
            failed=self.statuses[DeliveryStatus.FAILED],
            deferred=self.statuses[DeliveryStatus.DEFERRED],
            in_doubt=self.statuses[DeliveryStatus.IN_DOUBT],
            stopped_by=self.stopped_by,
        )

    def send(self, deliveries: list[Delivery]) -> None:
        self.waiting = {row.key: row for row in deliveries}
        self.handed_over = set()
        try:
            for outcome in self.mailer.deliver(self._messages(deliveries)):
                self._note(outcome)
        except (TemporaryFailure, PermanentFailure) as failure:
            self.stopped_by = str(failure) or type(failure).__name__
            self.handed_over = set()  # whatever has no outcome was surely not sent
        finally:
            self._mark()
            self._put_back()

    def _messages(self, deliveries: list[Delivery]) -> Iterator[OutgoingMessage]:
        for rendered in self.render(deliveries):
            if self.is_stopped():
                self.stopped_by = self.stopped_by or "stopped"
                return
            if isinstance(rendered, Outcome):
                self._note(rendered)
                continue
            self.handed_over.add(rendered.key)
            yield rendered

    def _note(self, outcome: Outcome) -> None:
        """Keep an outcome for the next group; a slow server's outcomes are written one by one."""
        self.unmarked.append((self.waiting.pop(outcome.key), outcome))
        due = time.monotonic() - self.marked_at >= GROUP_SECONDS
        if due or len(self.unmarked) >= GROUP:
            self._mark()

    def _mark(self) -> None:
        if self.unmarked:
            done = mark(self.database, self.owner, self.clock(), self.unmarked, self.lease)
            self.unmarked = []
            self._count(done)
        self.marked_at = time.monotonic()

    def _put_back(self) -> None:
        """Return what was surely not handed over; the rest stays, to be found in doubt."""
        rows = [row for key, row in self.waiting.items() if key not in self.handed_over]
        error = "" if self.stopped_by == "stopped" else self.stopped_by
        put_back(self.database, self.owner, self.clock(), rows, error)
        if error:
            self._count([DeliveryStatus.DEFERRED] * len(rows))

    def _count(self, statuses: list[DeliveryStatus]) -> None:
        self.statuses.update(statuses)
        self.progress(self.counts)


def send_due(
    database: Database,
    mailer: Mailer,
    render: Render,
    *,
    clock: Callable[[], datetime],
    owner: str,
    batch: int = 200,
    lease: timedelta = LEASE,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[SendCounts], None] | None = None,
    resend_in_doubt: bool = True,
) -> SendCounts:
    """
    Send what is due and return what became of it; mail is sent at least once.

    No transaction is open while the network is. A bad address costs its own message only. When
    the relay itself is unavailable it stops at once and puts back what it had claimed. `owner`
    comes from `mail.owners.this_process`: then a run after a kill goes on without waiting.
    """
    sending = _Sending(
        database, mailer, render, clock, owner, lease,
        stop or (lambda: False), progress or (lambda _counts: None),
    )  # fmt: skip
    release_lost(database, clock())
    while not sending.stopped_by and not sending.is_stopped():
        due = claim(database, owner, clock(), batch, lease, resend_in_doubt=resend_in_doubt)
        if not due:
            break
        sending.send(due)
    return sending.counts
