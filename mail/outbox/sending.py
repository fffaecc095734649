"""A worker: hands over what it has claimed, and writes down what came of it."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Protocol

from database.books import Database
from domain.causes import say_cause
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import PermanentFailure, TemporaryFailure
from domain.words import say_count
from mail.outbox.deliveries import Delivery, claim, leave_in_doubt, mark, put_back, renew
from mail.outbox.journal import SendJournal
from mail.outbox.recovery import recover
from mail.port import Mailer, MailOutcome, OutgoingMessage, Result
from rules.mail.refusals import is_relays_fault, refusal_reason

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


def say_tried(tried: SendCounts) -> str:
    """Say what became of the mails that were tried just now."""
    sentence = f"{tried.sent:,} sent"
    if tried.possible_duplicates:
        sentence += f" ({say_count(tried.possible_duplicates, 'possible duplicate')})"
    for word, number in (
        ("deferred", tried.deferred),
        ("failed", tried.failed),
        ("in-doubt", tried.in_doubt),
    ):
        sentence += f", {number:,} {word}" if number else ""
    return sentence + (f"; stopped: {tried.stopped_by}" if tried.stopped_by else "")


@dataclass(slots=True)
class OutcomeTally:
    """Counts outcomes as they are written down."""

    statuses: Counter[DeliveryStatus] = field(default_factory=Counter)
    possible_duplicates: int = 0
    not_their_fault: int = 0  # put off, in doubt or refused by policy at the first attempt
    left: Counter[DeliveryStatus] = field(default_factory=Counter)  # of the statuses: when it ended

    def add(
        self, statuses: list[DeliveryStatus], tried: Iterable[tuple[Delivery, MailOutcome]]
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


def _is_mailboxs_own(outcome: MailOutcome) -> bool:
    return outcome.result is Result.FAILED and not _POLICY.match(outcome.error)


MANY_REFUSALS = 10  # in a row, for one reason: then it is the relay

GROUP = 32  # messages announced, and outcomes written down, at once
GROUP_SECONDS = 0.25
RENEW_SECONDS = 60


class Render(Protocol):
    """Makes messages of deliveries; what no message can be made of comes as its outcome."""

    def __call__(
        self, deliveries: Sequence[Delivery]
    ) -> Iterable[OutgoingMessage | MailOutcome]: ...


@dataclass(slots=True)
class MailSender:
    """Sends batches one after the other; everything claimed is told of when `send` returns."""

    database: Database
    mailer: Mailer
    renderers: Mapping[MessageKind, Render]
    journal: SendJournal
    clock: Callable[[], datetime]
    owner: str
    lease: timedelta
    is_stopped: Callable[[], bool]
    progress: Callable[[SendCounts], None]
    tally: OutcomeTally = field(default_factory=OutcomeTally)
    many_refusals: int = MANY_REFUSALS  # in a row; 0: the sending never stops for them
    refusals: list[tuple[Delivery, MailOutcome]] = field(default_factory=list)  # the row, unmarked
    is_refused: bool = False  # by the relay, mail after mail
    stopped_by: str = ""
    renewed_at: float = 0.0  # monotonic seconds, as below
    marked_at: float = 0.0
    # of the batch under way:
    waiting: dict[str, Delivery] = field(default_factory=dict)  # claimed, no outcome yet
    begun: set[str] = field(default_factory=set)
    ended: dict[str, MailOutcome] = field(default_factory=dict)  # begun, and in the journal
    unmarked: list[tuple[Delivery, MailOutcome]] = field(default_factory=list)
    # whoever hands over asks here first, maybe in another thread:
    gate: threading.Lock = field(default_factory=threading.Lock)
    is_open: bool = False

    @property
    def counts(self) -> SendCounts:
        return self.tally.counts(self.stopped_by)

    def send(self, deliveries: list[Delivery]) -> None:
        """
        Hand over what was claimed, and write down what came of it.

        Refusals in a row for one reason are kept back until another outcome shows that they were
        the mailboxes' own; where too many come, the relay refuses us: all go back.
        """
        self.waiting = {row.key: row for row in deliveries}
        self.begun, self.ended = set(), {}
        self.is_open = True
        self.renewed_at = self.marked_at = time.monotonic()
        try:
            for outcome in self.mailer.deliver(self._messages(deliveries), self._begin):
                self._note(outcome)
        except (TemporaryFailure, PermanentFailure) as failure:
            self.stopped_by = self.stopped_by or str(failure) or say_cause(failure)
            self.begun = set()  # whatever has no outcome was surely not sent
        finally:
            with self.gate:
                self.is_open = False
            for outcome in self.ended.values():
                if outcome.key in self.waiting:
                    self._weigh(outcome)
            self._mark()
            self._let_go()

    def end(self) -> None:
        """Decide about the refusals that are still kept back: nothing more is tried."""
        if not self.stopped_by:
            self._judge(is_over=True)
        if not self.stopped_by:
            self._release()
            self._mark()
        elif self.refusals:  # surely not taken, and maybe not for the mailboxes' sake
            error = self.stopped_by if self.is_refused else ""
            rows = [row for row, _ in self.refusals]
            with self.database.writing() as books:
                put_back(books, self.owner, self.clock(), rows, error, is_tried=False)
            self.refusals = []

    def _messages(self, deliveries: list[Delivery]) -> Iterator[OutgoingMessage]:
        rendered = self._rendered(deliveries)
        while group := self._announced(rendered):
            for message in group:
                if self.is_stopped() or self.is_refused:
                    self.stopped_by = self.stopped_by or STOPPED
                    return
                yield message

    def _announced(self, rendered: Iterator[OutgoingMessage]) -> list[OutgoingMessage]:
        """Take a group; a failure of ours ends the stream: what is under way is finished."""
        try:
            group = list(islice(rendered, GROUP))
            if group:
                self.journal.announce(message.key for message in group)
        except (TemporaryFailure, PermanentFailure) as failure:
            self.stopped_by = str(failure) or say_cause(failure)
            return []
        return group

    def _rendered(self, deliveries: list[Delivery]) -> Iterator[OutgoingMessage]:
        by_kind = attrgetter("kind")
        for kind, rows in groupby(sorted(deliveries, key=by_kind), key=by_kind):
            for rendered in self.renderers[kind](list(rows)):
                if isinstance(rendered, MailOutcome):
                    self._note(rendered)
                else:
                    yield rendered

    def _begin(self, key: str) -> Callable[[MailOutcome], None]:
        """
        Let a message go, unless this worker may have lost it to another one.

        What it returns takes the answer before the next message goes over the same connection.
        """
        with self.gate:
            if not self.is_open or time.monotonic() - self.renewed_at > self.lease.total_seconds():
                raise TemporaryFailure("the sending was interrupted for longer than its lease")
            self.journal.begin(key)
            self.begun.add(key)
        return self._end

    def _end(self, outcome: MailOutcome) -> None:
        with self.gate:
            self.journal.end(outcome)
            self.ended[outcome.key] = outcome

    def _note(self, outcome: MailOutcome) -> None:
        """Keep an outcome for the next group; a slow server's outcomes are written one by one."""
        if outcome.key not in self.ended:  # refused before it began
            self.journal.end(outcome)
        self._weigh(outcome)
        due = time.monotonic() - self.marked_at >= GROUP_SECONDS
        if due or len(self.unmarked) >= GROUP:
            self._mark()

    def _weigh(self, outcome: MailOutcome) -> None:
        """Keep an outcome to be written down; a refusal only once it is sure whose fault it is."""
        row = self.waiting.pop(outcome.key)
        reason = refusal_reason(outcome.error) if outcome.result is Result.FAILED else ""
        if not reason or not self.many_refusals or outcome.too_large:
            if outcome.result is Result.SENT:
                self._release()
            self.unmarked.append((row, outcome))
            return
        if self.refusals and refusal_reason(self.refusals[0][1].error) != reason:
            self._release()
        self.refusals.append((row, outcome))
        self._judge()

    def _release(self) -> None:
        """Let refusals stand: they are about the mailboxes."""
        if not self.is_refused:  # of what was under way then, nothing changes that
            self.unmarked += self.refusals
            self.refusals = []

    def _judge(self, *, is_over: bool = False) -> None:
        """Stop where the relay refuses mail after mail; see rules.refusals."""
        nothing_else = is_over and not self.tally.statuses and not self.unmarked
        errors = [outcome.error for _, outcome in self.refusals]
        if not is_relays_fault(errors, many=self.many_refusals, nothing_else=nothing_else):
            return
        self.is_refused = True
        self.stopped_by = (
            f"the mail server refused {len(errors):,} mails in a row for one reason: {errors[-1]}"
        )

    def _mark(self) -> None:
        now, moment = self.clock(), time.monotonic()
        renews = moment - self.renewed_at >= RENEW_SECONDS
        if self.unmarked or renews:
            with self.database.writing() as books:
                done = mark(books, self.owner, now, self.unmarked)
                if renews:
                    renew(books, self.owner, now + self.lease)
            self.renewed_at = moment if renews else self.renewed_at
            self.tally.add(done, self.unmarked)
            self.unmarked = []
            self.progress(self.counts)
        self.marked_at = moment

    def _let_go(self) -> None:
        """Return what was surely not handed over; the rest may have arrived."""
        begun = [row for row in self.waiting.values() if row.key in self.begun]
        not_begun = [row for row in self.waiting.values() if row.key not in self.begun]
        if not self.waiting:
            return
        is_down = self.stopped_by != STOPPED and not self.is_refused
        error = self.stopped_by if is_down else ""
        with self.database.writing() as books:
            put_back(books, self.owner, self.clock(), not_begun, error)
            leave_in_doubt(books, self.owner, self.clock(), begun)
        self.waiting = {}
        self.tally.leave(DeliveryStatus.DEFERRED, len(not_begun) if error else 0)
        self.tally.leave(DeliveryStatus.IN_DOUBT, len(begun))
        self.progress(self.counts)


LEASE = timedelta(minutes=15)  # more than the ten minutes a server may take after the final dot


def send_due(
    database: Database,
    mailer: Mailer,
    renderers: Mapping[MessageKind, Render],
    *,
    journals: Path,
    clock: Callable[[], datetime],
    owner: str,
    batch: int = 200,
    lease: timedelta = LEASE,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[SendCounts], None] | None = None,
    resend_in_doubt: bool = True,
    tally: OutcomeTally | None = None,
    many_refusals: int = MANY_REFUSALS,
) -> SendCounts:
    """
    Send what is due of the kinds that have a renderer, and return what became of it.

    Mail is sent at least once. No transaction is open while the network is. A bad address costs
    its own message only. When the relay itself is unavailable it stops at once and puts back what
    it had claimed; so it does where the relay refuses `many_refusals` in a row for one reason
    (0: never), and those have not failed. `owner` comes from `database.owners.this_process`, and
    `journals` is a folder on a disk of this machine: then a run after a kill goes on without
    waiting, and knows of all but the messages that were just being handed over whether they left.
    A `tally` is a new one; it tells the caller what of the counts others may take over.
    """
    recover(database, journals, clock(), me=owner)
    journal = SendJournal(journals, owner)
    worker = MailSender(
        database, mailer, renderers, journal, clock, owner, lease,
        stop or (lambda: False), progress or (lambda _counts: None), tally or OutcomeTally(),
        many_refusals,
    )  # fmt: skip
    is_told = False  # everything that was claimed
    try:
        while not worker.stopped_by and not worker.is_stopped():
            journal.clear()
            due = claim(
                database, owner, clock(), batch, lease,
                kinds=tuple(renderers), resend_in_doubt=resend_in_doubt,
            )  # fmt: skip
            if not due:
                break
            worker.send(due)
        worker.end()
        is_told = not (worker.waiting or worker.unmarked or worker.refusals)
    except TemporaryFailure as failure:
        worker.stopped_by = str(failure)
    finally:
        journal.close(delete=is_told)
    return worker.counts
