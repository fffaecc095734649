"""How long a close can be taken back."""

from __future__ import annotations

from datetime import date, timedelta


def last_day_to_undo(closed_on: date, days: int) -> date:
    """
    Return the last local day on which a close of a day can be taken back.

    So many days count from the day of the close on, that day being the first: of five, closed on
    the 2nd, the 6th is the last. Afterwards too much has happened that nobody can take back, and
    single bills are corrected instead (rules 1, 10).
    """
    return closed_on + timedelta(days=days - 1)
