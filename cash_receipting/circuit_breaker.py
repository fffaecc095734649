"""Leaving a silent service alone: what all workers know of its health, kept in the books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.inserting import insert_new
from database.tables import service_health
from rules.money.posting import FAILURES_TO_OPEN, next_probe

PROBE_LEASE = timedelta(minutes=2)  # a prober that is silent for so long is gone
GRACE = timedelta(minutes=2)  # what is over by then is no news
ERROR_LENGTH = 200


class Leave(StrEnum):
    """What a worker may do with the service now."""

    ASK = "ask"
    PROBE = "probe"  # it is down: this worker alone asks, once
    WAIT = "wait"


class News(StrEnum):
    DOWN = "down"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Breaker:
    """
    The circuit breaker of one service; `chance` gives numbers between 0 and 1.

    It opens after three failures in a row. Then one worker at a time probes, ever more seldom,
    and the first success closes it for all of them, whichever process they run in.
    """

    database: Database
    service: str
    chance: Callable[[], float]

    def ask_leave(self, now: datetime, *, forced: bool = False) -> Leave:
        """Return what a worker may do; `forced` probes although it is not yet time."""
        health = service_health.c
        with self.database.writing() as books:
            row = self._row(books)
            if row.next_probe_at is None:
                return Leave.ASK
            is_time = sa.true() if forced else health.next_probe_at <= now
            is_free = sa.or_(health.probing_until.is_(None), health.probing_until <= now)
            taken = books.execute(
                self._update()
                .where(health.next_probe_at.is_not(None), is_time, is_free)
                .values(probing_until=now + PROBE_LEASE, probes=health.probes + 1)
            )
        return Leave.PROBE if taken.rowcount == 1 else Leave.WAIT

    def note_success(self) -> None:
        """Close the circuit: everybody may ask again."""
        with self.database.writing() as books:
            if self._row(books).failures == 0:
                return
            books.execute(
                self._update().values(
                    failures=0, down_since=None, next_probe_at=None, probes=0, probing_until=None,
                    error=None,
                )
            )  # fmt: skip

    def note_failure(self, now: datetime, error: str) -> bool:
        """Count a failure; return whether the service counts as down from now on."""
        health = service_health.c
        with self.database.writing() as books:
            row = self._row(books)
            failures = row.failures + 1
            books.execute(
                self._update().values(failures=health.failures + 1, error=error[:ERROR_LENGTH])
            )
            if failures < FAILURES_TO_OPEN:
                return False
            books.execute(
                self._update().values(
                    down_since=sa.func.coalesce(
                        health.down_since, now, type_=health.down_since.type
                    ),
                    next_probe_at=now + next_probe(row.probes, self.chance()),
                    probing_until=None,
                )
            )
        return True

    def _row(self, books: Connection) -> sa.Row[Any]:
        """Return the service's row, which is locked until the transaction ends."""
        new = insert_new(books.dialect.name, service_health)
        books.execute(new.values(service=self.service, failures=0, probes=0))
        query = sa.select(service_health).where(service_health.c.service == self.service)
        return books.execute(query.with_for_update()).one()

    def _update(self) -> sa.Update:
        return service_health.update().where(service_health.c.service == self.service)


def take_news(books: Connection, service: str, now: datetime) -> tuple[News, str] | None:
    """
    Take what the office has to be told of a service, in the transaction that records the mail.

    Once that it is down, after two minutes' grace; once that it is back, if the first was told
    (rule 187). Returns the news and a name for this outage, None where there is none.
    """
    health = service_health.c
    row = books.execute(
        sa.select(service_health).where(health.service == service).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    mine = service_health.update().where(health.service == service)
    if row.down_since and row.told_down_at is None and now - row.down_since >= GRACE:
        books.execute(mine.values(told_down_at=row.down_since))
        return News.DOWN, _outage(service, row.down_since)
    if row.down_since is None and row.told_down_at is not None:
        books.execute(mine.values(told_down_at=None))
        return News.BACK, _outage(service, row.told_down_at)
    return None


def needs_work(database: Database, service: str, now: datetime) -> bool:
    """Tell whether a silent service is to be probed now, or the office told; changes nothing."""
    query = sa.select(service_health).where(service_health.c.service == service)
    with database.reading() as books:
        row = books.execute(query).one_or_none()
    if row is None:
        return False
    may_probe = row.probing_until is None or row.probing_until <= now
    is_to_probe = row.next_probe_at is not None and row.next_probe_at <= now and may_probe
    is_down = row.down_since is not None
    is_news = (
        row.told_down_at is None and now - row.down_since >= GRACE
        if is_down
        else row.told_down_at is not None
    )
    return is_to_probe or is_news


def _outage(service: str, since: datetime) -> str:
    return f"{service} {since.isoformat(timespec='seconds')}"
