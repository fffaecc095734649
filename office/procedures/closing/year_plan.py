"""What a year's calendar is made of, taken from the settings and the books."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.queries.periods import newest_first
from database.tables import bill_run, enrollment, mandate
from domain.failures import Misuse
from domain.periods import FINAL_CYCLE
from office.equipment.office import Office
from rules.calendars import DueRule, due_rule, last_of_month
from rules.year_calendar import LAST_DAY, CyclePlan, YearPlan


def year_plan_of(office: Office, due_day: int = 0, days_prior: Iterable[int] = ()) -> YearPlan:
    """
    Return how this office's year is planned; `due_day` and `days_prior` go before the books.

    Raises Misuse where neither the books nor a setting say by which day bills are due.
    """
    with office.database.reading() as books:
        past = due_rule([(ends_on, due_on) for _, ends_on, due_on in _periods(books)])
        cycles = plan_cycles(_periods(books), due_day or office.settings.calendar.due_day)
        chosen = tuple(days_prior) or _days_prior(books)
    return YearPlan(
        due=_due(past, due_day or office.settings.calendar.due_day),
        days_prior=tuple(sorted(set(chosen), reverse=True)),
        reminders=office.reminders_plan.steps,
        office_closed=office.office_days,
        banks_closed=office.bank_days,
        on_closed_day=office.settings.autopay.on_closed_day,
        notice_days=office.settings.checks.notice_days,
        least_days_to_due=office.settings.calendar.least_days_to_due,
        mail_on_closed_day=office.settings.utility.mail_on_closed_day,
        cycles=cycles,
    )


def _due(past: DueRule | None, day: int) -> DueRule:
    if past is None and not day:
        raise Misuse(
            "No period in the books shows by which day bills are due; give --due-day DAY, or set "
            "calendar.due_day.",
            "no-due-day",
        )
    if past is None:
        return DueRule(day)
    return replace(past, day=day) if day else past


def _periods(books: Connection) -> list[tuple[str, date, date]]:
    """Return cycle, end and due date of the periods; final bills follow no calendar."""
    rows = books.execute(
        sa.select(bill_run.c.cycle, bill_run.c.ends_on, bill_run.c.due_on)
        .where(bill_run.c.cycle != FINAL_CYCLE)
        .order_by(bill_run.c.ends_on)
    )
    return [(row.cycle, row.ends_on, row.due_on) for row in rows]


def plan_cycles(periods: list[tuple[str, date, date]], due_day: int) -> tuple[CyclePlan, ...]:
    """Plan each cycle by its own periods; none where all is billed at once (contract 5)."""
    by_cycle: dict[str, list[tuple[date, date]]] = {}
    for cycle, ends_on, due_on in periods:
        by_cycle.setdefault(cycle, []).append((ends_on, due_on))
    if not any(by_cycle):
        return ()
    return tuple(
        CyclePlan(cycle, _end_day(own[-1][0]), _due(due_rule(own), due_day))
        for cycle, own in sorted(by_cycle.items())
    )


def _end_day(ends_on: date) -> int:
    return LAST_DAY if ends_on == last_of_month(ends_on.year, ends_on.month) else ends_on.day


def _days_prior(books: Connection) -> tuple[int, ...]:
    """Return the days that customers chose: in the newest export, and at the office itself."""
    newest = sa.select(bill_run.c.period).order_by(*newest_first()).limit(1)
    exported = sa.select(mandate.c.days_prior).where(
        mandate.c.active, mandate.c.period == newest.scalar_subquery()
    )
    enrolled = sa.select(enrollment.c.days_prior).where(enrollment.c.cancelled_at.is_(None))
    return tuple(books.scalars(exported.union(enrolled)))
