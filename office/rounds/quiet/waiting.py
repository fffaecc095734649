"""What commands that have nothing to do have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from database.tables import delivery
from domain.deliveries import WAITING, MessageKind
from office.equipment.office import Office

Figures = dict[str, Any]
QUIET: Figures = {"quiet": True}


def is_any_waiting(office: Office, kinds: Iterable[MessageKind]) -> bool:
    """Tell whether a mail of these kinds waits in the outbox."""
    query = sa.select(delivery.c.key).where(
        delivery.c.kind.in_(kinds), delivery.c.status.in_(WAITING)
    )
    with office.database.reading() as books:
        return books.scalar(query.limit(1)) is not None
