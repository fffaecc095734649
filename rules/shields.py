"""How long a failure of ours keeps past-due mails from the customers whom it hurt."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.calendars import ONE_DAY, earliest_close

TO_LEAVE = timedelta(days=2)  # a bill that leaves later after its close has left late


@dataclass(frozen=True, slots=True)
class Shield:
    """
    What an office holds to be its own fault, and for how long.

    `days` count from the day on which the failure was mended; until then it lasts anyway.
    `office_days` are the office's closed days: a close is late by them.
    """

    days: int
    office_days: Container[date] = field(default=(), repr=False)

    def since(self, now: datetime) -> datetime:
        """Return the moment before which what was mended hurts nobody any more."""
        return now - timedelta(days=self.days)

    def late_from(self, period_ends_on: date, zone: ZoneInfo) -> datetime:
        """
        Return the moment from which a period's autopay is scheduled late (rules 5-7, 59, 73).

        An office in time closes and schedules on the first day that it may; who is drawn from at
        once on that day has chosen so, or has enrolled late.
        """
        next_day = earliest_close(period_ends_on, self.office_days) + ONE_DAY
        return datetime.combine(next_day, time.min, tzinfo=zone).astimezone(UTC)
