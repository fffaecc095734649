"""When bills that came back are printed."""

from __future__ import annotations

from datetime import date


def is_part_due(last_written_on: date | None, today: date) -> bool:
    """
    Tell whether a period's next part is written without being asked for: one a day.

    The close's own part does not count. Most mails come back within hours; what comes later waits
    for the next day, so that the print office has one job and not one for each mail.
    """
    return last_written_on is None or last_written_on < today
