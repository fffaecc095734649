"""An office at a moment, for tests of its health."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from command_line.options import wall_clock
from office.clock import Clock
from office.equipment.office import Office
from office.health.conditions import Looking
from office.settings.close import DatabaseSettings
from office.settings.settings import Settings

ZONE = "America/Denver"


def much_later() -> datetime:
    return datetime(2100, 1, 1, tzinfo=UTC)


def an_office_at(home, database, at: str, *, wall=wall_clock, **sections: Any) -> Office:
    """An office whose local time is `at`, such as 2026-11-05T06:00; `wall` is the machine's."""
    moment = datetime.fromisoformat(at)
    settings = Settings(database=DatabaseSettings(url=database.url), **sections)
    office = Office(home, settings, Clock(wall, moment), "anna")
    office.__dict__["database"] = database  # the one whose connections the test looks after
    return office


def looking(home, database, at: str, known=None, *, wall=much_later, **sections: Any) -> Looking:
    """A look at that time; on a machine whose clock, if nothing is said, is far beyond it."""
    office = an_office_at(home, database, at, wall=wall, **sections)
    return Looking(office, office.clock.due(ZONE), ZONE, known or {})


def troubles(conditions) -> list[str]:
    return [one.name for one in conditions if one.state == "trouble"]
