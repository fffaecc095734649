"""The business clock: the moment and the local date that the office works by."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Clock:
    """
    Tells what time it is, or what time it is rehearsed to be.

    `wall` reads the machine's clock as an aware moment. `as_of` is a local time of the utility
    that takes its place; it moves on with the machine from when the clock was made, so that
    one thing still comes after another.
    """

    wall: Callable[[], datetime]
    as_of: datetime | None = None
    started: float = field(default_factory=time.monotonic)

    def now(self, zone: str) -> datetime:
        """Return the moment in UTC; `zone` is the utility's time zone."""
        if self.as_of is None:
            return self.wall().astimezone(UTC)
        elapsed = timedelta(seconds=time.monotonic() - self.started)
        return self.as_of.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) + elapsed

    def due(self, zone: str) -> datetime:
        """
        Return the moment that decides what is due, in UTC.

        A rehearsed one stands still: a run that is taken up again with the same time must not
        find that what it had recorded before is due a second later.
        """
        if self.as_of is None:
            return self.now(zone)
        return self.as_of.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)

    def today(self, zone: str) -> date:
        """Return the local date of the utility."""
        if self.as_of is not None:
            return self.as_of.date()
        return self.wall().astimezone(ZoneInfo(zone)).date()
