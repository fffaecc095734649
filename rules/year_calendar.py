"""A year of the office's work: what falls on which day, and what does not fit together."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from domain.deliveries import MessageKind
from domain.words import say_count
from rules.calendars import DueRule, earliest_close, is_working_day, last_of_month, next_working_day
from rules.mail.closed_days import MailOnClosedDay, reminder_day
from rules.mail.reminders import ReminderStep
from rules.money.autopay import OnClosedDay, draw_date

MONTHS_BACK = 14  # a step of the ladder may come a year after its due date


class CalendarEventKind(StrEnum):
    PERIOD_END = "period-end"
    CLOSE = "close"
    DUE = "due"
    DRAW = "draw"
    REMINDER = "reminder"


LAST_DAY = 31  # of any month


@dataclass(frozen=True, slots=True)
class CyclePlan:
    """When the periods of a cycle end, a day of the month, and by which day its bills are due."""

    name: str
    end_day: int
    due: DueRule

    def ends(self, year: int) -> list[date]:
        """Return the ends of the periods that something of a year may come from."""
        months = [last_of_month(year, month) for month in range(1 - MONTHS_BACK, 13)]
        return [month.replace(day=min(self.end_day, month.day)) for month in months]


@dataclass(frozen=True, slots=True)
class YearPlan:
    """
    What a year's calendar is made of; `days_prior` are those that customers chose.

    Without `cycles` all is billed by the month, and due by `due` (contract 5).
    """

    due: DueRule
    days_prior: tuple[int, ...]
    reminders: tuple[ReminderStep, ...]
    office_closed: Container[date]
    banks_closed: Container[date]
    on_closed_day: OnClosedDay = OnClosedDay.PREVIOUS
    notice_days: int = 10
    least_days_to_due: int = 14
    mail_on_closed_day: MailOnClosedDay = MailOnClosedDay.SAME
    cycles: tuple[CyclePlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """
    Something that is done or falls on a local day, for a period.

    `days` count from the due date, those before it negative; `form` is a reminder's. `marks` are
    phrases that say what does not fit.
    """

    on: date
    kind: CalendarEventKind
    period: str
    days: int = 0
    form: str = ""
    marks: tuple[str, ...] = ()
    cycle: str = ""


@dataclass(frozen=True, slots=True)
class MonthPlan:
    """One month of the calendar: what falls into it, in order, and when nobody works."""

    first: date
    events: tuple[Event, ...]
    office_closed: tuple[date, ...]  # working days of the week on which the office is closed
    banks_closed: tuple[date, ...]


def plan_year(year: int, plan: YearPlan) -> tuple[MonthPlan, ...]:
    """Return the twelve months of a year, each with all that falls into it from any period."""
    cycles = plan.cycles or (CyclePlan("", LAST_DAY, plan.due),)
    events = [
        replace(event, cycle=cycle.name)
        for cycle in cycles
        for ends_on in cycle.ends(year)
        for event in _events(ends_on, cycle.name, replace(plan, due=cycle.due))
    ]
    order = list(CalendarEventKind).index
    marked = sorted(_mark_meetings(events), key=lambda one: (one.on, order(one.kind)))
    return tuple(_month(date(year, month, 1), marked, plan) for month in range(1, 13))


def _events(ends_on: date, cycle: str, plan: YearPlan) -> Iterator[Event]:
    period = f"{ends_on:%Y-%m}{f'-{cycle}' if cycle else ''}"
    due_on = plan.due.due_on(ends_on)
    closes_on = earliest_close(ends_on, plan.office_closed)
    yield Event(ends_on, CalendarEventKind.PERIOD_END, period)
    too_near = tuple(_close_marks(closes_on, due_on, plan))
    yield Event(closes_on, CalendarEventKind.CLOSE, period, marks=too_near)
    yield Event(due_on, CalendarEventKind.DUE, period, marks=tuple(_closed_marks(due_on, plan)))
    for days in sorted(set(plan.days_prior), reverse=True):
        yield _draw(period, days, due_on, closes_on, plan)
    for step in plan.reminders:
        on = reminder_day(step.kind, step.days, due_on, plan.office_closed, plan.mail_on_closed_day)
        marks = tuple(_reminder_marks(step, on, due_on, closes_on, plan))
        yield Event(on, CalendarEventKind.REMINDER, period, step.days, step.form, marks)


def _draw(period: str, days: int, due_on: date, closes_on: date, plan: YearPlan) -> Event:
    chosen = due_on - timedelta(days=days)
    on = draw_date(due_on, days, plan.banks_closed, plan.on_closed_day)
    marks = []
    if on != chosen:
        why = "a weekend" if chosen.weekday() > 4 else "a bank holiday"
        marks.append(f"moved from {_say(chosen)}, {why}")
    elif not is_working_day(on, plan.banks_closed):
        marks.append("the banks are closed")
    if on <= closes_on:
        marks.append("not after the close: drawn at once")
    elif (on - closes_on).days < plan.notice_days:
        left = say_count((on - closes_on).days, "day")
        marks.append(f"{left} after the close: a notice of {plan.notice_days} is impossible")
    return Event(max(on, closes_on), CalendarEventKind.DRAW, period, -days, marks=tuple(marks))


def _close_marks(closes_on: date, due_on: date, plan: YearPlan) -> Iterator[str]:
    left = (due_on - closes_on).days
    if left < plan.least_days_to_due:
        near = f"{say_count(abs(left), 'day')} {'before' if left > 0 else 'after'}"
        wanted = say_count(plan.least_days_to_due, "day")
        yield f"{near if left else 'on'} the due date, not at least {wanted} before it"


def _closed_marks(on: date, plan: YearPlan) -> Iterator[str]:
    if on.weekday() > 4:
        yield "on a weekend"
    elif on in plan.office_closed:
        yield "the office is closed"
    elif on in plan.banks_closed:
        yield "the banks are closed"


def _reminder_marks(
    step: ReminderStep, on: date, due_on: date, closes_on: date, plan: YearPlan
) -> Iterator[str]:
    chosen = due_on + timedelta(days=step.days)
    if on != chosen:
        why = "a weekend" if chosen.weekday() > 4 else "the office is closed"
        yield f"moved from {_say(chosen)}, {why}"
    if on <= closes_on:
        yield "not after the close: nobody has the bill yet"
    first_day = next_working_day(due_on, plan.office_closed)
    if step.kind is MessageKind.PAST_DUE and due_on < on <= first_day:
        yield f"before the office could take a payment after {_say(due_on)}"


def _mark_meetings(events: Iterable[Event]) -> Iterator[Event]:
    """Mark the draws of one period that fall on one day though customers chose different ones."""
    known = list(events)
    draws = Counter((one.period, one.on) for one in known if one.kind is CalendarEventKind.DRAW)
    for one in known:
        many = draws[one.period, one.on]
        if one.kind is CalendarEventKind.DRAW and many > 1:
            yield replace(one, marks=(*one.marks, f"{many} draw days fall on one"))
        else:
            yield one


def _month(first: date, events: Iterable[Event], plan: YearPlan) -> MonthPlan:
    days = [first.replace(day=day + 1) for day in range(monthrange(first.year, first.month)[1])]
    weekdays = [day for day in days if day.weekday() < 5]
    return MonthPlan(
        first,
        tuple(one for one in events if one.on.replace(day=1) == first),
        tuple(day for day in weekdays if day in plan.office_closed),
        tuple(day for day in weekdays if day in plan.banks_closed),
    )


def _say(day: date) -> str:
    return f"{day:%a %b} {day.day}"
