"""The office opened anew, after its settings or its texts were changed while it is at work."""

from __future__ import annotations

from dataclasses import replace

from office.equipment.office import Office
from office.settings.settings import FILE, open_settings


def renewed(office: Office) -> Office:
    """
    Return the office with the settings and texts that its home has now; its books stay open.

    Raises Misuse where the settings cannot be read.
    """
    found = replace(office, settings=open_settings(office.home))
    found.__dict__["database"] = office.database
    return found


def written_settings(office: Office) -> str:
    """Return the settings file as it is written now; empty where there is none."""
    try:
        return (office.home / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
