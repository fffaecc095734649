"""Collecting the scheduled payments that are due: claim, announce, record, draw, record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from database.books import Database
from database.tables import draw
from domain.failures import PermanentFailure, TemporaryFailure
from domain.payments import Advice, DrawState, PaymentState
from payments.asking import Failure, Line
from payments.claiming import abandon_unasked, claim_due, list_due, runs_with_due_payments
from payments.draws import Draw, find_draws
from payments.gateway import Answer, DrawResult, PaymentGateway
from payments.recording import (
    REFUSED,
    record_asked,
    record_declined,
    record_doubt,
    record_never_asked,
    record_refused,
    record_result,
)
from payments.standing import Tally
from payments.terms import Clock, Terms


@dataclass(slots=True)
class CollectCounts:
    """What became of the payments that were due; `stopped_by` says why it ended before its end."""

    drawn: Tally = field(default_factory=Tally)
    declined: Tally = field(default_factory=Tally)
    unknown: Tally = field(default_factory=Tally)
    cancelled: int = 0  # not drawn, with a reason
    waiting: int = 0  # another draw of the account is in doubt
    put_off: int = 0  # surely not drawn, and due again at once
    stopped_by: str = ""


def collect_due(
    database: Database,
    gateway: PaymentGateway,
    terms: Terms,
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
    line = Line(gateway, now, terms.threads, stop)
    abandon_unasked(database)
    for run, today in runs_with_due_payments(database, now()):
        for due in list_due(database, run, today, terms.batch):
            if not line.is_open:
                break
            claim = claim_due(database, run, today, now(), terms, due)
            counts.cancelled += claim.cancelled
            counts.waiting += claim.waiting
            _draw(database, line, claim.draws, terms, counts)
            progress(counts)
    counts.stopped_by = line.stopped_by or line.trouble
    if line.misuse is not None:
        raise line.misuse
    return counts


def _draw(
    database: Database, line: Line, draws: list[Draw], terms: Terms, counts: CollectCounts
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
    terms: Terms,
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
                if record_refused(books, one, now, terms):
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
    terms: Terms,
    counts: CollectCounts,
) -> None:
    """
    Write down the answers to a batch.

    What surely was not done may be given up only while nobody else has looked for the draw: who
    did so may have asked for it, too.
    """
    found = {one.key: answer for one, answer in zip(asked, answers, strict=True)}
    with database.writing() as books:
        for one in find_draws(books, draw.c.key.in_(found), draw.c.state == DrawState.ASKED):
            answer = found[one.key]
            if isinstance(answer, TemporaryFailure) and one.lookups == 0:
                counts.put_off += record_never_asked(books, one)
            elif isinstance(answer, PermanentFailure) and one.lookups == 0:
                record_declined(books, one, now, terms, code=REFUSED, advice=Advice.CLERK)
                counts.declined.add(one.amount)
            elif not isinstance(answer, DrawResult):
                record_doubt(books, one, str(answer))
                counts.unknown.add(one.amount)
            elif not record_result(books, one, answer, now, terms):
                counts.unknown.add(one.amount)
            elif answer.answer is Answer.APPROVED:
                counts.drawn.add(one.amount)
            else:
                counts.declined.add(one.amount)
