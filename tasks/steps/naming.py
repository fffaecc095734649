"""What a run is called where people look for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from prefect.runtime import flow_run

from billing_system.export.manifest import read_manifest
from database.runs import find_run
from domain.failures import Misuse, Refused
from office.equipment.office import current_office

_KIND = re.compile(r"^(?:the )?(?:city|town|village|borough|county|township) of ", re.IGNORECASE)


def name_of_close() -> str:
    """Call a close `close 2026-10 Larkspur`, and a dry run what it is."""
    period = flow_run.parameters["period"]
    place = short_name(_utility(period, flow_run.parameters.get("bundle")))
    act = "rehearse" if current_office().rehearses else "close"
    return f"{act} {period} {place}".rstrip()


def say_closed(period: str) -> str:
    """Say at a run's end that the period is closed, or what a rehearsal came to."""
    return f"{period} {'would close' if current_office().rehearses else 'is closed'}"


def named_by_day(work: str) -> Callable[[], str]:
    """Call each day's run by its work and the utility's local date: `remind 2026-11-29`."""

    def name() -> str:
        return f"{work} {current_office().local_today():%Y-%m-%d}"

    return name


def short_name(utility: str) -> str:
    """Return what people call the utility: `Larkspur` for `City of Larkspur`."""
    return " ".join(_KIND.sub("", utility.strip()).split())[:40]


def _utility(period: str, bundle: str | None) -> str:
    """Return the utility by the books, else by the export; empty where neither can be read."""
    known = find_run(current_office().database, period)
    if known is not None:
        return known.utility
    try:
        return read_manifest(Path(bundle)).utility.name if bundle else ""
    except (Misuse, Refused, OSError):  # the import says what is wrong with it
        return ""
