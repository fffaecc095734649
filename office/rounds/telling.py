"""Telling a Prefect server of troubles: events, for automations of the office's own."""

from __future__ import annotations

import logging
from typing import Any

from domain.failures import TemporaryFailure
from office.equipment.office import Office
from office.prefect_server.runs import KnownServer, known_address

LOGGER = logging.getLogger("prefect.billclose")
BEGAN, ENDED = "billclose.trouble.began", "billclose.trouble.ended"


def tell_server(office: Office, found: dict[str, Any]) -> int:
    """
    Make an event of what a watch says began or is over; return how many were taken.

    An event may be lost: nothing of ours goes by one. Who watches needs no server.
    """
    news = [(BEGAN, name) for name in found["began"]] + [(ENDED, name) for name in found["ended"]]
    if not news or office.rehearses or not known_address(office):
        return 0
    known = {one["name"]: one for one in found["conditions"]}
    try:
        with KnownServer(office) as server:
            for event, name in news:
                about = f"billclose.condition.{name}"
                server.tell(event, about, _words(known.get(name)), office.due_now())
    except TemporaryFailure as failure:
        LOGGER.warning("the Prefect server is not told of a trouble: %s", failure)
        return 0
    return len(news)


def _words(condition: dict[str, Any] | None) -> dict[str, str]:
    """Return what a condition says of itself; no customer stands in it."""
    return {name: str(condition[name]) for name in ("detail", "remedy")} if condition else {}
