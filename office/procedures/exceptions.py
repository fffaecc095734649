"""What needs a person, as the office stands now: for `list exceptions` and for the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from database.queries.exceptions import exceptions
from mail.reminders.selection import kept_back
from office.equipment.office import Office
from reporting.run_sheet.exceptions import ExceptionRow, list_exceptions


def select_exceptions(office: Office) -> sa.Select[Any]:
    """Select the exceptions of all periods, with whom a hold or a shield keeps from a mail now."""
    return exceptions(_kept_back(office))


def exceptions_of(office: Office, period: str) -> Iterator[ExceptionRow]:
    """Yield the same exceptions of one period, what blocks the close first."""
    return list_exceptions(office.database, period, _kept_back(office))


def _kept_back(office: Office) -> list[sa.Select[Any]]:
    """Select who gets no past-due mail now: that goes by the office's days and its clock."""
    with office.database.reading() as books:
        return kept_back(books, office.reminders_terms(office.due_now(), records=False))
