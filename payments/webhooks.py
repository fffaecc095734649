"""What a gateway tells by itself: checked, kept once, and taken in by the next collecting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.inserting import insert_new
from database.tables import told_event
from payments.gateway import EventKind, LateEvent

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
        "happened_at": event.happened_at,
        "received_at": now,
    }


def _to_event(row: Any) -> LateEvent:
    return LateEvent(
        row.event_id,
        EventKind(row.kind),
        row.draw_key,
        row.reference,
        row.amount,
        row.code,
        row.happened_at,
    )
