"""One thing that the office's health depends on, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from domain.troubles import AT_A_TERMINAL, SUBJECTS, TroublePage, page_of_trouble, say_trouble
from office.equipment.office import Office

AT_ONCE = timedelta(0)
LONGEST_ABOUT = 40  # characters: the condition stands in the Message-ID of its mails


class State(StrEnum):
    WELL = "well"
    TROUBLE = "trouble"  # a person is needed
    UNKNOWN = "unknown"  # it could not be looked at
    NOT_WATCHED = "not-watched"  # the settings, or the books, say that there is nothing to watch


@dataclass(frozen=True, slots=True)
class Condition:
    """
    What was found of one kind: at most one is not in trouble, and each trouble is one.

    `detail` and `remedy` are sentences without personal data: they are mailed and shown to
    monitors. `remedy` is for whoever reads it anywhere; `command` is what is typed for it at a
    terminal, where that helps. A trouble is told of when it has lasted for its `patience`.
    """

    kind: str
    state: State
    detail: str = ""
    about: str = ""  # which of several: a period, a disk, a command
    since: datetime | None = None
    remedy: str = ""
    patience: timedelta = AT_ONCE
    command: str = ""

    @property
    def name(self) -> str:
        """Return its code, for monitors, logs and the books; people read its title."""
        return f"{self.kind}/{self.about[:LONGEST_ABOUT]}" if self.about else self.kind

    @property
    def title(self) -> str:
        """Return what people call the trouble, or where there is none what is watched."""
        return say_trouble(self.name) if self.state is State.TROUBLE else SUBJECTS[self.kind]

    @property
    def advice(self) -> str:
        """Return what to do with what is typed for it, in one text as monitors have it."""
        return f"{self.remedy} {AT_A_TERMINAL} {self.command}" if self.command else self.remedy

    @property
    def page(self) -> TroublePage | None:
        """Return the office's page on which it is put right."""
        return page_of_trouble(self.name)

    def to_figures(self) -> dict[str, Any]:
        """Write it as a monitor reads it."""
        return {
            "name": self.name,
            "state": self.state.value,
            "since": self.since.isoformat(timespec="seconds") if self.since else None,
            "detail": self.detail,
            "remedy": self.advice,
        }


def trouble(
    kind: str,
    about: str,
    since: datetime,
    detail: str,
    remedy: str,
    patience: timedelta = AT_ONCE,
    command: str = "",
) -> Condition:
    return Condition(kind, State.TROUBLE, detail, about, since, remedy, patience, command)


def or_well(kind: str, troubles: Iterable[Condition], detail: str = "") -> list[Condition]:
    """Return the troubles, or where there are none that the kind is well."""
    return list(troubles) or [Condition(kind, State.WELL, detail)]


def unwatched(kind: str, detail: str) -> list[Condition]:
    return [Condition(kind, State.NOT_WATCHED, detail)]


def start_of(day: date, zone: str) -> datetime:
    """Return the moment at which a local day begins."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Looking:
    """An office at a moment in UTC; `zone` is the utility's."""

    office: Office
    now: datetime
    zone: str
    known: Mapping[str, datetime] = field(default_factory=dict)  # open incidents, since when

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def say_time(self, moment: datetime) -> str:
        """Write a moment as the utility's clocks show it: `2026-11-03 09:00 MST`."""
        local = moment.astimezone(ZoneInfo(self.zone))
        return f"{local:%Y-%m-%d %H:%M} {local.tzname()}"

    @property
    def looked_until(self) -> datetime:
        """
        Return until when the rounds can have looked, in UTC.

        They go by the machine's clock: a rehearsed time that is still to come expects none.
        """
        return min(self.now, self.office.clock.wall().astimezone(UTC))

    @property
    def grace(self) -> timedelta:
        return timedelta(minutes=self.office.settings.health.grace_minutes)
