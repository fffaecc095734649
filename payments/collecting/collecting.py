"""Collecting the scheduled payments that are due: claim, announce, record, draw, record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from database.books import Database
from database.queries.feed import read_feed, stale_periods
from database.tables import draw
from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.payments import Advice, DrawState, PaymentState
from payments.collecting.claiming import (
    abandon_unasked,
    claim_due,
    list_due,
    runs_with_due_payments,
)
from payments.collecting.draws import Draw, DrawTotals, find_draws, lock_draws
from payments.collecting.recording import (
    REFUSED,
    record_asked,
    record_declined,
    record_doubt,
    record_never_asked,
    record_refused,
    record_result,
    taken_together,
)
from payments.port import DrawAnswer, DrawResult, GatewayMisuse, PaymentGateway
from payments.terms import Clock, CollectionTerms
from rules.money.retrying import may_still_ask

T = TypeVar("T")
Failure = TemporaryFailure | PermanentFailure | OutcomeUnknown | GatewayMisuse
FAILURES = (TemporaryFailure, PermanentFailure, OutcomeUnknown, GatewayMisuse)
SILENT_AFTER = 3  # failures in a row: one request may fail by itself
NOT_ASKED = "not asked: the gateway is down, or somebody stopped the work"


@dataclass(slots=True)
class GatewaySession:
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


@dataclass(slots=True)
class CollectCounts:
    """What became of the payments that were due; `stopped_by` says why it ended before its end."""

    drawn: DrawTotals = field(default_factory=DrawTotals)
    declined: DrawTotals = field(default_factory=DrawTotals)
    unknown: DrawTotals = field(default_factory=DrawTotals)
    cancelled: int = 0  # not drawn, with a reason
    waiting: int = 0  # another draw of the account is in doubt
    put_off: int = 0  # surely not drawn, and due again at once
    left_out: set[str] = field(default_factory=set)  # periods with balances too old to draw by
    stopped_by: str = ""


def collect_due(
    database: Database,
    gateway: PaymentGateway,
    terms: CollectionTerms,
    now: Clock,
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[CollectCounts], None] = lambda _counts: None,
) -> CollectCounts:
    """
    Draw every payment whose day has come, and return what became of them.

    A draw is recorded before it is announced, recorded as asked before it is asked, and its
    answer is one transaction with the payment, the balance and the posting. Whatever ends this
    between two of these, the books say how far it came: what was not asked is drawn anew, what
    was asked is looked up (payments/looking_up.py) and never asked blindly. Several workers may
    do this at a time.

    A gateway that is down ends it. Raises GatewayMisuse, after everything is recorded,
    where the gateway says that we ask wrongly.
    """
    counts = CollectCounts()
    line = GatewaySession(gateway, now, terms.threads, stop)
    abandon_unasked(database, now())
    for period, today in runs_with_due_payments(database, now()):
        for due in list_due(database, period, today, terms.batch):
            if not line.is_open:
                break
            if is_left_out(database, period, now(), terms):
                counts.left_out.add(period)
                break
            claim = claim_due(database, period, today, now(), terms, due)
            counts.cancelled += claim.cancelled
            counts.waiting += claim.waiting
            draw_claimed(database, line, claim.draws, terms, counts)
            progress(counts)
    counts.stopped_by = line.stopped_by or line.trouble
    if line.misuse is not None:
        raise line.misuse
    return counts


def is_left_out(database: Database, period: str, now: datetime, terms: CollectionTerms) -> bool:
    """
    Tell whether a period's balances are too old to draw by, as they are now.

    Asked before each batch: a night may last until the feed is too old.
    """
    if period in terms.left_out:
        return True
    if terms.feed_max_age is None:
        return False
    with database.reading() as books:
        return bool(stale_periods(books, read_feed(books, terms.feed_max_age), now, [period]))


def draw_claimed(
    database: Database,
    line: GatewaySession,
    draws: list[Draw],
    terms: CollectionTerms,
    counts: CollectCounts,
) -> None:
    if not draws:
        return
    announced = line.prepare(draws)
    asked = _record_asked(database, draws, announced, line.now(), terms, counts)
    if asked:
        answers = line.confirm(asked)
        _record_answers(database, asked, answers, line.now(), terms, counts)


def _record_asked(
    database: Database,
    draws: list[Draw],
    announced: list[str | Failure],
    now: datetime,
    terms: CollectionTerms,
    counts: CollectCounts,
) -> list[Draw]:
    """
    Write down that draws may have happened from here on, and return them.

    Asking comes after this is committed: then a crash and a lost answer look the same, and both
    are looked up.
    """
    asked = []
    references = {one.key: found for one, found in zip(draws, announced, strict=True)}
    with database.writing() as books:
        for one in find_draws(books, draw.c.key.in_(references)):
            reference = references[one.key]
            if one.state is not DrawState.CREATED:
                continue  # another worker gave it up: the payment is his to draw
            if one.payment_state is not PaymentState.SCHEDULED:
                record_never_asked(books, one)  # it was cancelled meanwhile
            elif isinstance(reference, PermanentFailure):
                record_refused(books, one, now, terms)
                counts.declined.add(one.amount)
            elif isinstance(reference, str):
                asked.append(record_asked(books, one, reference, now))
            else:
                counts.put_off += record_never_asked(books, one)
    return asked


def _record_answers(
    database: Database,
    asked: list[Draw],
    answers: list[DrawResult | Failure],
    now: datetime,
    terms: CollectionTerms,
    counts: CollectCounts,
) -> None:
    """
    Write down the answers to a batch.

    What surely was not done may be given up only while nobody else has looked for the draw: who
    did so may have asked for it, too.
    """
    found = {one.key: answer for one, answer in zip(asked, answers, strict=True)}
    with (
        database.writing() as books,
        taken_together(books, now=now, who=terms.who) as taken,
    ):
        for one in lock_draws(books, draw.c.key.in_(found), draw.c.state == DrawState.ASKED):
            answer = found[one.key]
            if isinstance(answer, TemporaryFailure) and one.lookups == 0:
                counts.put_off += record_never_asked(books, one)
            elif isinstance(answer, PermanentFailure) and one.lookups == 0:
                record_declined(books, one, now, terms, code=REFUSED, advice=Advice.CLERK)
                counts.declined.add(one.amount)
            elif not isinstance(answer, DrawResult):
                record_doubt(books, one, str(answer))
                counts.unknown.add(one.amount)
            elif not record_result(books, one, answer, now, terms, taken):
                counts.unknown.add(one.amount)
            elif answer.answer is DrawAnswer.APPROVED:
                counts.drawn.add(one.amount)
            else:
                counts.declined.add(one.amount)
