"""Late events of the gateway: each taken in once, however often it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import chain, islice
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.inserting import insert_new
from database.tables import draw, events_read, told_event
from domain.failures import TemporaryFailure
from payments.collecting.draws import Draw, DrawTotals, lock_balances_of, read_draw
from payments.collecting.unanswered import LateApproval, take_in_approval
from payments.outcomes.returns import ReturnEffect, note_once, record_outcome
from payments.port import LateEvent, LateEventKind, PaymentGateway
from payments.terms import Clock, CollectionTerms

_ROWS = told_event.c


@runtime_checkable
class TellsByWebhook(Protocol):
    """A gateway that sends what happened, signed with a secret that only it and we know."""

    name: str

    def read_webhook(self, body: bytes, signature: str) -> LateEvent | None:
        """Return the event, None for what is none of ours; raises Refused without its signature."""
        ...


def receive(
    database: Database, gateway: TellsByWebhook, body: bytes, signature: str, now: datetime
) -> bool:
    """
    Keep what a webhook brings until the next collecting takes it in; tell whether it is new.

    Nothing is done with it here: a gateway sends events twice and out of order, and wants its
    answer within seconds. Raises Refused (`webhook-signature`) for what the gateway has not
    signed, TemporaryFailure where it had to be asked and did not answer: it sends it again.
    """
    event = gateway.read_webhook(body, signature)
    if event is None:
        return False
    with database.writing() as books:
        row = _to_row(event, gateway.name, now)
        return books.scalar(_keeping(books.dialect.name), row) is not None


def read_told(database: Database, gateway: str) -> list[LateEvent]:
    """Return what was told and is not taken in, oldest first."""
    query = sa.select(told_event).where(_ROWS.gateway == gateway, _ROWS.taken_in_at.is_(None))
    with database.reading() as books:
        rows = books.execute(query.order_by(_ROWS.happened_at, _ROWS.event_id)).all()
    return [_to_event(row) for row in rows]


def mark_taken_in(books: Connection, events: Iterable[LateEvent], now: datetime) -> None:
    """Record that events are taken in, whichever way they came."""
    ids = [event.event_id for event in events]
    mine = told_event.update().where(_ROWS.event_id.in_(ids), _ROWS.taken_in_at.is_(None))
    books.execute(mine.values(taken_in_at=now))


@cache
def _keeping(dialect: str) -> Any:
    return insert_new(dialect, told_event).returning(_ROWS.event_id)


def _to_row(event: LateEvent, gateway: str, now: datetime) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "gateway": gateway,
        "kind": event.kind.value,
        "draw_key": event.draw_key,
        "reference": event.reference,
        "amount": event.amount,
        "code": event.code,
        "refund_key": event.refund_key,
        "fee": event.fee,
        "answer_by": event.answer_by,
        "happened_at": event.happened_at,
        "received_at": now,
    }


def _to_event(row: Any) -> LateEvent:
    return LateEvent(
        row.event_id,
        LateEventKind(row.kind),
        row.draw_key,
        row.reference,
        row.amount,
        row.code,
        row.happened_at,
        row.refund_key,
        row.fee,
        row.answer_by,
    )


OVERLAP = timedelta(days=3)  # events come late and out of order: the last days are read again
CHUNK = 100


@dataclass(slots=True)
class EventCounts:
    """What the gateway told of earlier draws."""

    returned: DrawTotals = field(default_factory=DrawTotals)  # by banks: returns and disputes
    refunded: DrawTotals = field(default_factory=DrawTotals)  # by us, or at the gateway's desk
    reinstated: DrawTotals = field(default_factory=DrawTotals)  # won, or never given back after all
    refused: int = 0  # the bank's no to a draw that had no answer
    landed: DrawTotals = field(
        default_factory=DrawTotals
    )  # thought lost or declined, and drawn after all
    drawn_twice: int = 0
    changes: int = 0  # notices of change, for the clerk
    alarms: int = 0  # events that make no sense, for the clerk
    stopped_by: str = ""


def take_in_events(
    database: Database,
    gateway: PaymentGateway,
    terms: CollectionTerms,
    now: Clock,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> EventCounts:
    """
    Take in what became of draws after they were answered, since the last time.

    First what the gateway told by itself, then what it tells now: mostly the same.
    Where the gateway does not answer nothing is lost: the same events are read next time. One
    that cannot be understood yet, because another draw of its payment is without an answer, is
    read again as well.
    """
    counts = EventCounts()
    since = _read_until(database, gateway.name)
    if since is None:
        return counts
    began, waits = now(), list[datetime]()
    told = read_told(database, gateway.name)
    try:
        events = chain(told, gateway.late_events(since - OVERLAP))
        while chunk := list(islice(events, CHUNK)):
            with database.writing() as books:
                waiting = _take_in(books, chunk, began, terms, counts)
                mark_taken_in(books, [one for one in chunk if one not in waiting], began)
                waits += [event.happened_at for event in waiting]
            if stop():
                return counts
    except TemporaryFailure as failure:
        counts.stopped_by = str(failure) or "the payment gateway is down"
        return counts
    _mark_read(database, gateway.name, min([began, *waits]))
    return counts


def _take_in(
    books: Connection,
    events: Sequence[LateEvent],
    now: datetime,
    terms: CollectionTerms,
    counts: EventCounts,
) -> list[LateEvent]:
    """
    Take in events and return those that have to wait.

    The balances of all of them are locked before the first draw is: in the order of everybody.
    """
    waits = []
    keys = [event.draw_key for event in events]
    lock_balances_of(books, keys)
    for event in events:
        one = read_draw(books, event.draw_key)
        if one is None:
            detail = f"{event.kind} {event.code}, event {event.event_id}"
            subject = event.reference[:200]
            counts.alarms += note_once(books, subject, "unknown draw", detail, now, terms.who)
        elif not _take_in_one(books, one, event, now, terms, counts):
            waits.append(event)
    return waits


def _take_in_one(
    books: Connection,
    one: Draw,
    event: LateEvent,
    now: datetime,
    terms: CollectionTerms,
    counts: EventCounts,
) -> bool:
    if event.kind is LateEventKind.CHANGE:
        detail = f"{one.key}, {event.code}, event {event.event_id}"
        is_new = note_once(books, one.account, "notice of change", detail, now, terms.who)
        counts.changes += is_new
        return True
    if event.kind is LateEventKind.APPROVED_LATE:
        landed = take_in_approval(
            books, one,
            reference=event.reference, at=event.happened_at, now=now, who=terms.who,
        )  # fmt: skip
        if landed is LateApproval.TAKEN:
            counts.landed.add(one.amount)
        counts.drawn_twice += landed is LateApproval.TWICE
        return landed is not LateApproval.NOT_YET
    outcome = record_outcome(books, one, event, now, terms)
    if outcome in (ReturnEffect.RECORDED, ReturnEffect.TOO_MUCH):
        _tally_of(counts, event.kind).add(event.amount)
    counts.refused += outcome is ReturnEffect.DECLINED
    counts.alarms += outcome is ReturnEffect.TOO_MUCH
    return outcome is not ReturnEffect.NOT_YET


def _tally_of(counts: EventCounts, kind: LateEventKind) -> DrawTotals:
    if kind in (LateEventKind.REINSTATED, LateEventKind.REFUND_FAILED):
        return counts.reinstated
    return counts.refunded if kind is LateEventKind.REFUNDED else counts.returned


def _read_until(database: Database, gateway: str) -> datetime | None:
    """Return until when events were read; before the first time, since when there are draws."""
    until = sa.select(events_read.c.until).where(events_read.c.gateway == gateway)
    with database.reading() as books:
        read: datetime | None = books.scalar(until)
        return read or books.scalar(sa.select(sa.func.min(draw.c.created_at)))


def _mark_read(database: Database, gateway: str, until: datetime) -> None:
    with database.writing() as books:
        rows = events_read.c
        before = books.scalar(sa.select(rows.until).where(rows.gateway == gateway))
        if before is None:
            books.execute(events_read.insert().values(gateway=gateway, until=until))
        elif before < until:
            books.execute(events_read.update().where(rows.gateway == gateway).values(until=until))
