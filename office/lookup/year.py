"""The year's periods: when each ends, may be closed and is due, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from database.runs import newest_timezone
from database.tables import bill_run, period_close
from domain.periods import FINAL_CYCLE
from domain.runs import RunState
from office.equipment.office import Office
from office.procedures.closing.year_plan import year_plan_of
from rules.calendars import earliest_close
from rules.year_calendar import LAST_DAY, CyclePlan


@dataclass(frozen=True, slots=True)
class YearPeriod:
    """
    One period of a year.

    `in_books`: its export was imported, so there is a page of its close. `is_late`: its first day
    to be closed is past and it is not closed.
    """

    period: str
    cycle: str
    ends_on: date
    closes_on: date
    due_on: date
    said: str
    in_books: bool
    is_closed: bool
    is_late: bool


def read_year(office: Office, year: int) -> tuple[YearPeriod, ...]:
    """
    Return the periods that end in a year: those of the books as they are, then those to come.

    Final bills in periods of their own follow no calendar and stand there once they are imported.
    Before the first import nothing is known of any, and there is none.
    """
    today = office.local_today()
    known = list(_in_books(office, year, today))
    names = {one.period for one in known}
    planned = [one for one in _planned(office, year, today) if one.period not in names]
    return tuple(sorted([*known, *planned], key=lambda one: (one.ends_on, one.period)))


_SAID = {
    RunState.STAGED: "imported",
    RunState.REFUSED: "refused",
    RunState.WAITING: "waits for a yes",
    RunState.APPROVED: "approved",
}


def _in_books(office: Office, year: int, today: date) -> Iterator[YearPeriod]:
    zone = ZoneInfo(newest_timezone(office.database))
    query = (
        sa.select(bill_run, period_close.c.closed_at, period_close.c.closed_by)
        .outerjoin(period_close, period_close.c.period == bill_run.c.period)
        .where(bill_run.c.ends_on.between(date(year, 1, 1), date(year, 12, 31)))
    )
    with office.database.reading() as books:
        rows = books.execute(query).all()
    for row in rows:
        first = earliest_close(row.ends_on, office.office_days)
        is_closed = row.closed_at is not None
        yield YearPeriod(
            row.period,
            row.cycle,
            row.ends_on,
            first,
            row.due_on,
            _say_closed(row, zone) if is_closed else _SAID.get(row.state, row.state.value),
            in_books=True,
            is_closed=is_closed,
            is_late=not is_closed and today > first,
        )


def _say_closed(row: Any, zone: ZoneInfo) -> str:
    day = row.closed_at.astimezone(zone).date()
    return f"closed on {day:%b} {day.day} by {row.closed_by}"


def _planned(office: Office, year: int, today: date) -> Iterator[YearPeriod]:
    """Yield what the calendar expects; after the newest period alone, not before the first one."""
    with office.database.reading() as books:
        ends = sa.select(bill_run.c.cycle, sa.func.max(bill_run.c.ends_on).label("ends_on"))
        newest = books.execute(
            ends.where(bill_run.c.cycle != FINAL_CYCLE).group_by(bill_run.c.cycle)
        ).all()
    since: dict[str, date] = {row.cycle: row.ends_on for row in newest}
    if not since:
        return
    for period, cycle, ends_on, due_on in _plan(office, year):
        if ends_on > since.get(cycle, date.max):
            first = earliest_close(ends_on, office.office_days)
            is_late = today > first
            said = "late" if is_late else "can be closed" if today == first else "to come"
            yield YearPeriod(
                period, cycle, ends_on, first, due_on, said,
                in_books=False, is_closed=False, is_late=is_late,
            )  # fmt: skip


def _plan(office: Office, year: int) -> list[tuple[str, str, date, date]]:
    """Return period, cycle, end and due date of the periods that end in a year, as planned."""
    plan = year_plan_of(office)  # there is a period in the books, so a due day is known
    cycles = plan.cycles or (CyclePlan("", LAST_DAY, plan.due),)
    return [
        (f"{end:%Y-%m}{f'-{one.name}' if one.name else ''}", one.name, end, one.due.due_on(end))
        for one in cycles
        for end in one.ends(year)
        if end.year == year
    ]
