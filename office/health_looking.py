"""Who looks after the office's health, and at which moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from office.wiring import Office


@dataclass(frozen=True, slots=True)
class Looking:
    """An office at a moment in UTC; `zone` is the utility's."""

    here: Office
    now: datetime
    zone: str
    known: Mapping[str, datetime] = field(default_factory=dict)  # open incidents, since when

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    @property
    def grace(self) -> timedelta:
        return timedelta(minutes=self.here.settings.health.grace_minutes)
