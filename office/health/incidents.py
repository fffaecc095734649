"""What began and what ended between two looks: kept, and told once each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.inserting import insert_new
from database.tables import incident
from domain.deliveries import MessageKind
from domain.troubles import say_trouble
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from mail.rendering.alerts import BEGAN, ENDED, say_ways
from office.equipment.office import Office
from office.health.alert_ways import queue_posts
from office.health.conditions import Condition
from office.health.health import Health, names_in_doubt
from office.health.work import KIND, WATCH

TOLD_ELSEWHERE = ("service-down",)  # by whoever posts, in words of their own (rules 186-188)
NO_NEWS = f"{KIND}/{WATCH}"  # whoever tells is the watch: it runs again


@dataclass(frozen=True, slots=True)
class Noted:
    """The conditions that were told of now, and how many mails that made."""

    began: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    mails: int = 0


def note(office: Office, health: Health) -> Noted:
    """
    Record what began and what ended, and the mails that say so, in one transaction.

    Once each, whichever machine looks and however often: of a condition one incident at most is
    open, and it is told of by whoever marks it. One that ends before its patience is over is
    told of by nobody.
    """
    now = office.due_now()
    troubles = {one.name: one for one in health.troubles if _is_told_here(one)}
    doubtful = names_in_doubt(health.conditions)
    with office.database.writing() as books:
        for one in troubles.values():
            _open(books, one, now)
        rows = list(books.execute(_still_open()))
        began = tuple(_tell_beginnings(books, rows, troubles, now))
        gone = [row for row in rows if not _lasts(row.condition, troubles, doubtful)]
        ended = tuple(_end(books, gone, now))
        mails = _queue(office, books, now, began, BEGAN) + _queue(office, books, now, ended, ENDED)
        _post(office, books, now, [row for row in rows if row.key in began], troubles, BEGAN)
        _post(office, books, now, [row for row in rows if row.key in ended], {}, ENDED)
        for what, keys in (("began", began), ("ended", ended)):
            for key in keys:
                record_audit(books, now, office.who, f"health {what}", key)
    return Noted(_conditions(rows, began), _conditions(rows, ended), mails)


def _is_told_here(found: Condition) -> bool:
    return found.kind not in TOLD_ELSEWHERE and found.name != NO_NEWS


def _open(books: Connection, found: Condition, now: datetime) -> None:
    """Open an incident; where one is open, on whichever machine it was noticed, it stays."""
    row = insert_new(books.dialect.name, incident).values(
        key=f"{found.name} {now:%Y-%m-%dT%H:%M:%S.%f}",
        condition=found.name,
        since=found.since or now,
        detail=found.detail,
        remedy=found.remedy,
        command=found.command,
        noticed_at=now,
    )
    books.execute(row)


def _still_open() -> sa.Select[Any]:
    return sa.select(incident).where(incident.c.ended_at.is_(None)).order_by(incident.c.key)


def _tell_beginnings(
    books: Connection, rows: list[Any], troubles: dict[str, Condition], now: datetime
) -> Iterator[str]:
    """Mark what has lasted long enough as told; yield the keys that nobody else has marked."""
    for row in rows:
        found = troubles.get(row.condition)
        if found is None or row.told_at is not None or now - row.noticed_at < found.patience:
            continue
        mark = incident.update().where(incident.c.key == row.key, incident.c.told_at.is_(None))
        words = {"detail": found.detail, "remedy": found.remedy, "command": found.command}
        if books.execute(mark.values(told_at=now, **words)).rowcount == 1:
            yield row.key


def _lasts(condition: str, troubles: dict[str, Condition], doubtful: frozenset[str]) -> bool:
    return condition in troubles or condition.partition("/")[0] in doubtful


def _end(books: Connection, rows: list[Any], now: datetime) -> Iterator[str]:
    """Mark as ended; yield the keys of those whose beginning was told."""
    for row in rows:
        mark = incident.update().where(incident.c.key == row.key, incident.c.ended_at.is_(None))
        is_ours = books.execute(mark.values(ended_at=now)).rowcount == 1
        if is_ours and row.told_at is not None:
            yield row.key


def _queue(
    office: Office, books: Connection, now: datetime, keys: tuple[str, ...], form: str
) -> int:
    alerts = [
        PlannedMessage(MessageKind.ALERT, key, address, form=form)
        for key in keys
        for address in office.settings.alerts.to
    ]
    return queue_messages(books, alerts, now=now, message_domain=office.message_domain)


def _post(
    office: Office,
    books: Connection,
    now: datetime,
    rows: list[Any],
    troubles: dict[str, Condition],
    form: str,
) -> None:
    """Record the same for the ways of alerts.urls; no account stands in a condition's words."""
    for row in rows:
        found = troubles.get(row.condition)
        remedy, command = (found.remedy, found.command) if found else ("", "")
        detail = found.detail if found else row.detail
        over = "over: " if form == ENDED else ""
        title = f"billclose: {over}{say_trouble(row.condition)}"
        ways = say_ways(row.condition, remedy, command, office.staff_url)
        text = "\n".join(filter(None, (detail, remedy, *ways)))
        queue_posts(books, office, row.key, form, title, text, now)


def _conditions(rows: list[Any], keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(row.condition for row in rows if row.key in keys)
