"""Looking up the draws that were asked for and not answered; money moves once at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import draw
from domain.payments import DrawState
from payments.asking import Failure, Line
from payments.draws import Draw, find_draws
from payments.gateway import Answer, DrawResult, PaymentGateway
from payments.recording import NOT_FOUND, record_doubt, record_result
from payments.terms import Clock, Terms
from rules.retrying import FIRST_LOOKUP, may_ask_again, next_lookup


@dataclass(slots=True)
class LookupCounts:
    """What became of the draws that were looked up."""

    approved: int = 0
    declined: int = 0
    asked_again: int = 0  # under the same key; counted again with its answer
    unknown: int = 0
    stopped_by: str = ""


def look_up_due(
    database: Database,
    gateway: PaymentGateway,
    terms: Terms,
    now: Clock,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> LookupCounts:
    """
    Find out what became of the draws whose look-up is due: 5 minutes after, an hour, then daily.

    A draw that the gateway does not know is asked again under the same key, while it surely keeps
    keys: what landed meanwhile is answered, not drawn twice. After that nobody asks again: it
    stays unknown for a person (`billclose unknown`). A failure to look up proves nothing either
    way. Raises GatewayMisuse, after everything is recorded.
    """
    counts = LookupCounts()
    line = Line(gateway, now, terms.threads, stop)
    while line.is_open and (due := _take_due(database, now(), terms.batch)):
        answers = line.each(lambda one: _find_out(line, one, counts), due)
        _record(database, due, answers, now(), terms, counts)
    counts.stopped_by = line.stopped_by or line.trouble
    if line.misuse is not None:
        raise line.misuse
    return counts


def _take_due(database: Database, now: datetime, limit: int) -> Sequence[Draw]:
    """
    Take the draws whose look-up is due, for a while: no other worker does.

    Only an answer puts the next look-up farther off. An outage or a crash must not use up the
    early ones, since a draw may be asked again only while the gateway keeps its key.
    """
    with database.writing() as books:
        due = find_draws(
            books, draw.c.state == DrawState.ASKED, draw.c.next_lookup_at <= now, limit=limit
        )
        for one in due:
            books.execute(
                draw.update()
                .where(draw.c.key == one.key)
                .values(lookups=one.lookups + 1, next_lookup_at=now + FIRST_LOOKUP)
            )
    return due


def _find_out(line: Line, one: Draw, counts: LookupCounts) -> DrawResult:
    result = line.gateway.lookup(one.request, one.reference)
    if result.answer is not Answer.NOT_FOUND or one.asked_at is None:
        return result
    if not may_ask_again(one.asked_at, line.now(), line.gateway.key_window):
        return result
    counts.asked_again += 1
    return line.confirm_one(one)


def _record(
    database: Database,
    due: Sequence[Draw],
    answers: Sequence[DrawResult | Failure],
    now: datetime,
    terms: Terms,
    counts: LookupCounts,
) -> None:
    """
    Write down what is known now.

    A failure is never a no here, not even of the second asking: the first may still land.
    """
    found = {one.key: answer for one, answer in zip(due, answers, strict=True)}
    with database.writing() as books:
        for one in find_draws(books, draw.c.key.in_(found), draw.c.state == DrawState.ASKED):
            answer = found[one.key]
            if not isinstance(answer, DrawResult):
                record_doubt(books, one, str(answer) or NOT_FOUND)
                counts.unknown += 1
            elif not record_result(books, one, answer, now, terms):
                _put_off(books, one, now)
                counts.unknown += 1
            elif answer.answer is Answer.APPROVED:
                counts.approved += 1
            else:
                counts.declined += 1


def _put_off(books: Connection, one: Draw, now: datetime) -> None:
    books.execute(
        draw.update()
        .where(draw.c.key == one.key)
        .values(next_lookup_at=now + next_lookup(one.lookups))
    )
