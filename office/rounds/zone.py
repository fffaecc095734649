"""The utility's time zone, followed by the daily runs of a Prefect server with workers."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import sqlalchemy as sa

from database.runs import newest_timezone
from database.tables import bill_run
from domain.failures import TemporaryFailure
from office.equipment.office import Office
from office.prefect_server.owner import owner_tag
from office.prefect_server.runs import KnownServer, known_address

LOGGER = logging.getLogger("prefect.billclose")


@dataclass
class ZoneFollower:
    """
    Moves the daily runs where an export names another time zone than the last one did.

    `billclose up` does the same for what it serves. Before the first export the zone of the
    deploying holds.
    """

    office: Office
    _known: str = ""

    def follow(self) -> int:
        """Return how many schedules were moved; what is away, books or server, is asked again."""
        try:
            return self._follow()
        except TemporaryFailure as failure:
            LOGGER.warning("the daily runs do not follow the time zone yet: %s", failure)
        except sa.exc.SQLAlchemyError as failure:
            kind = type(failure).__name__
            LOGGER.warning("the time zone cannot be read yet: %s", kind)
        return 0

    def _follow(self) -> int:
        zone = newest_timezone(self.office.database)
        if zone == self._known or not self._is_followed():
            return 0
        with KnownServer(self.office) as server:
            moved = server.move_schedules(owner_tag(self.office), zone)
        self._known = zone
        if moved:
            LOGGER.info("%d daily runs go by the time of %s now", moved, zone)
        return moved

    def _is_followed(self) -> bool:
        if not self.office.settings.prefect.schedules or not known_address(self.office):
            return False
        with self.office.database.reading() as books:
            return books.scalar(sa.select(bill_run.c.period).limit(1)) is not None
