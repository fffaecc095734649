"""Rounds: each look when it is due, a start where there is work, and what the books keep of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from database.books import Database
from database.inserting import insert_or_update
from database.runs import newest_timezone
from database.tables import look_round
from domain.causes import say_cause
from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from office.equipment.office import Office, at_work
from office.health.work import note_ended_well
from office.rounds.days import count_look
from office.rounds.looks import RoundLook, looks_of
from office.rounds.pinging import ping

LOGGER = logging.getLogger("prefect.billclose")
LONGEST_REASON = 200


class Starter(Protocol):
    """What makes a flow run, in a server or in a process; raises TemporaryFailure."""

    def start(self, deployment: str, name: str, key: str, now: datetime) -> bool:
        """Start a run, unless one is open; tell whether one was started."""
        ...


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look came to; `failed` says that the look, or the start, did not work."""

    deployment: str
    reason: str = ""
    started: bool = False
    failed: bool = False


@dataclass
class Rounds:
    """
    Looks whenever one is due and starts the flow where there is work; looks missed are not made up.

    A look that fails starts its flow: that meets the same trouble where people look for it. Nothing
    that a look or a start does ends the rounds, but wrong settings (Misuse).
    """

    office: Office
    starter: Starter
    looks: tuple[RoundLook, ...] = ()
    _next: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.looks = self.looks or looks_of(self.office)

    def go(self, now: datetime) -> list[Looked]:
        """Go once round at a moment of the machine's clock; return what was looked at."""
        due = [look for look in self.looks if now >= self._next.get(look.deployment, now)]
        found = []
        for look in due:
            self._next[look.deployment] = slot_of(look, now) + look.every
            found.append(self._look(look, now))
        if found and self.office.settings.alerts.ping_url.get_secret_value():
            ping(self.office, failed=any(one.failed for one in found))
        return found

    def _look(self, look: RoundLook, now: datetime) -> Looked:
        failed = False
        try:
            with at_work(self.office):
                reason = look.why(self.office, now)
        except Misuse:
            raise
        except Exception as failure:  # whatever it is: the flow meets it again and is seen
            kind = type(failure).__name__
            LOGGER.warning("the look at %s failed: %s", look.deployment, kind)
            ours = isinstance(failure, TemporaryFailure | PermanentFailure)
            why = str(failure) if ours else ""  # a sentence of our own, without personal data
            reason, failed = f"the look failed ({why or say_cause(failure)})", True
        started = False
        if reason:
            started, failed = self._start(look, reason, now, failed)
        looked = Looked(look.deployment, reason, started, failed)
        self._note(look, looked, now)
        return looked

    def _start(
        self, look: RoundLook, reason: str, now: datetime, failed: bool
    ) -> tuple[bool, bool]:
        slot = slot_of(look, now)
        try:
            key = f"{look.deployment} {slot:%Y-%m-%dT%H:%M}"
            started = self.starter.start(look.deployment, look.deployment, key, now)
        except (TemporaryFailure, PermanentFailure) as failure:
            LOGGER.warning("%s could not be started: %s", look.deployment, failure)
            return False, True
        if started:
            LOGGER.info("%s is started: %s", look.deployment, reason)
        return started, failed

    def _note(self, look: RoundLook, looked: Looked, now: datetime) -> None:
        """Write the look down; where even the books do not answer, the next one does."""
        try:
            note_look(self.office.database, look, looked, now)
            if not looked.reason and not looked.failed:
                note_ended_well(self.office, look.deployment)
        except sa.exc.SQLAlchemyError as failure:
            kind = type(failure).__name__
            LOGGER.warning("the look at %s is not written down: %s", look.deployment, kind)


def slot_of(look: RoundLook, now: datetime) -> datetime:
    """Return the beginning of the stretch of time that a look belongs to, alike on all machines."""
    minute = now.minute - now.minute % look.minutes
    return now.replace(minute=minute, second=0, microsecond=0)


def note_look(database: Database, look: RoundLook, looked: Looked, now: datetime) -> None:
    """Write down one look, and count it among those of the utility's day."""
    today = now.astimezone(ZoneInfo(newest_timezone(database))).date()
    with database.writing() as books:
        where = look_round.c.look == looked.deployment
        before = books.execute(sa.select(look_round).where(where).with_for_update()).one_or_none()
        reason = looked.reason or (before.last_reason if before else "")
        started_at = before.last_started_at if before else None
        values = {
            "every_minutes": look.minutes,
            "looked_at": now,
            "last_reason": reason[:LONGEST_REASON],
            "last_started_at": now if looked.started else started_at,
        }
        row = insert_or_update(books.dialect.name, look_round)
        row = row.values(look=looked.deployment, **values)
        books.execute(row.on_conflict_do_update(index_elements=["look"], set_=values))
        gap = 0 if before is None else max(0, int((now - before.looked_at).total_seconds()))
        count_look(
            books,
            looked.deployment,
            today,
            started=looked.started,
            failed=looked.failed,
            gap_seconds=gap,
        )
