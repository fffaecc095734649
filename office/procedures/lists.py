"""The lists as the office sees them now, for the command and for the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from reporting.lists.catalog import LISTS
from reporting.lists.naming import with_names

if TYPE_CHECKING:
    from office.equipment.office import Office


def select_list(office: Office, what: str) -> sa.Select[Any]:
    """Select a list by its name; what is held from reminders goes by the office's days."""
    if what == "exceptions":
        from office.procedures.exceptions import select_exceptions

        return with_names(select_exceptions(office))
    return LISTS[what].select()


def select_bare(office: Office, what: str) -> sa.Select[Any] | None:
    """Select the same rows with less of each, to count and choose them; None: there is no less."""
    if what == "exceptions":
        from office.procedures.exceptions import select_exceptions

        return select_exceptions(office)
    return LISTS[what].select_bare()
