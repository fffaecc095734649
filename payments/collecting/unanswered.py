"""Looking up the draws that were asked for and not answered; money moves once at most."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.tables import draw, gateway_payment
from domain.payments import DrawState, PaymentKind
from payments.collecting.claiming import may_be_asked_again
from payments.collecting.collecting import Failure, GatewaySession, is_left_out
from payments.collecting.draws import DRAWN_TWICE, Draw, find_draws, lock_draws, read_draw
from payments.collecting.recording import (
    NOT_FOUND,
    record_approved,
    record_doubt,
    record_never_asked,
    record_result,
    record_second,
)
from payments.port import DrawAnswer, DrawRequest, DrawResult, PaymentGateway
from payments.terms import Clock, CollectionTerms
from rules.money.retrying import FIRST_LOOKUP, is_awaited, may_ask_again, next_lookup


class LateApproval(StrEnum):
    """What a late approval was to us."""

    KNOWN = "known"
    TAKEN = "taken"  # into the books: the money is ours after all
    TWICE = "twice"  # another draw of the payment has the money already: one is given back
    NOT_YET = "not-yet"  # another draw of the payment has no answer: asked again with the next


def take_in_approval(
    books: Connection, one: Draw, *, reference: str, at: datetime, now: datetime, who: str
) -> LateApproval:
    """
    Take in that the gateway drew something, whatever we thought of it.

    A draw that was declined, given up or unknown may have landed: then the customer has paid.
    Where its payment was drawn anew meanwhile, he has paid twice, and a person gives one back.
    """
    if one.state is DrawState.APPROVED or one.code == DRAWN_TWICE:
        return LateApproval.KNOWN
    others = find_draws(books, draw.c.payment_key == one.payment_key, draw.c.key != one.key)
    states = {other.state for other in others}
    if DrawState.APPROVED in states:
        books.execute(
            draw.update()
            .where(draw.c.key == one.key)
            .values(code=DRAWN_TWICE, reference=sa.func.coalesce(draw.c.reference, reference))
        )
        record_second(books, one, reference, at, now, who)
        _audit(books, one, f"{reference}: drawn twice, give one back", now, who)
        return LateApproval.TWICE
    if DrawState.ASKED in states or one.state is DrawState.CREATED:
        return LateApproval.NOT_YET
    for other in others:
        if other.state is DrawState.CREATED:
            record_never_asked(books, other)
    before = one.payment_state
    fresh = read_draw(books, one.key)  # giving up another draw has moved their payment
    if fresh is None or not record_approved(books, fresh, now, reference=reference, at=at, who=who):
        raise ValueError(f"the draw {one.key} is no longer {one.state}")
    if one.state is not DrawState.ASKED:
        _audit(books, one, f"{reference}: landed late; it was {before}", now, who)
    return LateApproval.TAKEN


def _audit(books: Connection, one: Draw, detail: str, now: datetime, who: str) -> None:
    record_audit(books, now, who, "late approval", one.account, f"{one.key}, {detail}")


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
    terms: CollectionTerms,
    now: Clock,
    *,
    kind: PaymentKind | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> LookupCounts:
    """
    Find out what became of the draws whose look-up is due: 5 minutes after, an hour, then daily.

    A draw that the gateway does not know is asked again under the same key, while it surely keeps
    keys: what landed meanwhile is answered, not drawn twice. It is not where less is owed now, or
    balances are too old to say. After that nobody asks again: it stays unknown for a person
    (`billclose unknown`). A failure to look up proves nothing either
    way. Raises GatewayMisuse, after everything is recorded. `kind`: only draws of such payments.
    """
    counts = LookupCounts()
    line = GatewaySession(gateway, now, terms.threads, stop)
    while line.is_open and (due := _take_due(database, now(), terms.batch, kind)):
        _look_up(database, line, due, terms, counts)
    counts.stopped_by = line.stopped_by or line.trouble
    if line.misuse is not None:
        raise line.misuse
    return counts


def look_up_payment(
    database: Database,
    gateway: PaymentGateway,
    terms: CollectionTerms,
    now: Clock,
    key: str,
    *,
    gives_up: bool = False,
) -> LookupCounts:
    """
    Find out what became of one payment at once, whenever its look-up is due.

    Its customer has come back from their bank, whose word of it nobody believes: the gateway is
    asked. `gives_up`: they will not answer the bank any more; what awaits them is taken off, and
    nothing is asked for again. Raises like `look_up_due`.
    """
    counts = LookupCounts()
    line = GatewaySession(gateway, now)
    due = _take(database, now(), draw.c.state == DrawState.ASKED, draw.c.payment_key == key)
    if gives_up:
        due = [replace(one, returns_to="") for one in due]
    _look_up(database, line, due, terms, counts, asks_again=not gives_up)
    if line.misuse is not None:
        raise line.misuse
    return counts


def _take_due(
    database: Database, now: datetime, limit: int, kind: PaymentKind | None
) -> Sequence[Draw]:
    """
    Take the draws whose look-up is due, for a while: no other worker does.

    Only an answer puts the next look-up farther off. An outage or a crash must not use up the
    early ones, since a draw may be asked again only while the gateway keeps its key.
    """
    conditions = [draw.c.state == DrawState.ASKED, draw.c.next_lookup_at <= now]
    if kind is not None:
        conditions.append(gateway_payment.c.kind == kind)
    return _take(database, now, *conditions, limit=limit)


def _take(
    database: Database,
    now: datetime,
    *conditions: sa.ColumnElement[bool],
    limit: int | None = None,
) -> Sequence[Draw]:
    with database.writing() as books:
        due = find_draws(books, *conditions, limit=limit)
        for one in due:
            books.execute(
                draw.update()
                .where(draw.c.key == one.key)
                .values(lookups=one.lookups + 1, next_lookup_at=now + FIRST_LOOKUP)
            )
    return due


def _look_up(
    database: Database,
    line: GatewaySession,
    due: Sequence[Draw],
    terms: CollectionTerms,
    counts: LookupCounts,
    *,
    asks_again: bool = True,
) -> None:
    may_ask = _may_ask(database, due, terms, line.now()) if asks_again else set()
    answers = line.each(lambda one: _find_out(line, one, may_ask, counts), due)
    _record(database, due, answers, line.now(), terms, counts)


def _may_ask(
    database: Database, due: Sequence[Draw], terms: CollectionTerms, now: datetime
) -> set[str]:
    periods = {one.period for one in due if one.is_autopay}
    old = {period for period in periods if is_left_out(database, period, now, terms)}
    fresh = [one for one in due if not one.is_autopay or one.period not in old]
    return may_be_asked_again(database, fresh, terms, now)


def _find_out(
    line: GatewaySession, one: Draw, may_ask: Container[str], counts: LookupCounts
) -> DrawResult:
    result = line.gateway.lookup(_request(one, line.now()), one.reference)
    if result.answer is not DrawAnswer.NOT_FOUND or one.asked_at is None:
        return result
    if one.key not in may_ask:
        return result
    if not may_ask_again(one.asked_at, line.now(), line.gateway.key_window):
        return result
    counts.asked_again += 1
    return line.confirm_one(one)


def _request(one: Draw, now: datetime) -> DrawRequest:
    """Ask for a draw whose customer has not answered their bank in time as for one without them."""
    if one.asked_at is not None and is_awaited(one.asked_at, now):
        return one.request
    return replace(one.request, returns_to="")


def _record(
    database: Database,
    due: Sequence[Draw],
    answers: Sequence[DrawResult | Failure],
    now: datetime,
    terms: CollectionTerms,
    counts: LookupCounts,
) -> None:
    """
    Write down what is known now.

    A failure is never a no here, not even of the second asking: the first may still land.
    """
    found = {one.key: answer for one, answer in zip(due, answers, strict=True)}
    with database.writing() as books:
        for one in lock_draws(books, draw.c.key.in_(found), draw.c.state == DrawState.ASKED):
            answer = found[one.key]
            if not isinstance(answer, DrawResult):
                record_doubt(books, one, str(answer) or NOT_FOUND)
                counts.unknown += 1
            elif not record_result(books, one, answer, now, terms):
                if answer.answer is not DrawAnswer.AWAITS:  # that is looked for again soon
                    _put_off(books, one, now)
                counts.unknown += 1
            elif answer.answer is DrawAnswer.APPROVED:
                counts.approved += 1
            else:
                counts.declined += 1


def _put_off(books: Connection, one: Draw, now: datetime) -> None:
    books.execute(
        draw.update()
        .where(draw.c.key == one.key)
        .values(next_lookup_at=now + next_lookup(one.lookups))
    )
