"""An office at a moment, for tests of its health."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import BaseModel

from command_line.options import wall_clock
from office.clock import Clock
from office.equipment.office import Office
from office.health.conditions import Looking
from office.settings.close import DatabaseSettings
from office.settings.settings import PREFIX, Settings

ZONE = "America/Denver"


def much_later() -> datetime:
    return datetime(2100, 1, 1, tzinfo=UTC)


def an_office_at(home, database, at: str, *, wall=wall_clock, **sections: Any) -> Office:
    """An office whose local time is `at`, such as 2026-11-05T06:00; `wall` is the machine's."""
    moment = datetime.fromisoformat(at)
    settings = settings_with(database=DatabaseSettings(url=database.url), **sections)
    office = Office(home, settings, Clock(wall, moment), "anna")
    office.__dict__["database"] = database  # the one whose connections the test looks after
    return office


def settings_with(**sections: Any) -> Settings:
    """
    Settings of the environment with some sections of their own, as `Settings(**sections)` has them.

    To look through the environment for all of them takes as long as most pages.
    """
    told = {name: text for name, text in os.environ.items() if name.upper().startswith(PREFIX)}
    in_files = any(name.upper().endswith("_FILE") for name in told)  # which may be others by now
    are_whole = all(isinstance(section, BaseModel) for section in sections.values())
    if in_files or not are_whole or sections.keys() - Settings.model_fields.keys():
        return Settings(**sections)
    return _of_environment(tuple(sorted(told.items()))).model_copy(update=sections)


@cache
def _of_environment(_told: tuple[tuple[str, str], ...]) -> Settings:
    return Settings()


def looking(home, database, at: str, known=None, *, wall=much_later, **sections: Any) -> Looking:
    """A look at that time; on a machine whose clock, if nothing is said, is far beyond it."""
    office = an_office_at(home, database, at, wall=wall, **sections)
    return Looking(office, office.clock.due(ZONE), ZONE, known or {})


def troubles(conditions) -> list[str]:
    return [one.name for one in conditions if one.state == "trouble"]
