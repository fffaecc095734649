"""The month in one line, and what to do next, for `billclose status` and the first page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from database.runs import newest_timezone
from database.tables import bill_run, check_result, period_close
from domain.checks import CheckStatus, Severity
from domain.periods import FINAL_CYCLE
from domain.runs import RunState
from domain.words import say_count
from mail.reminders.exemptions import Undrawn, undrawn
from office.equipment.office import Office
from office.health.conditions import Condition, Looking, State
from office.health.work import forgotten_schedules, late_periods
from office.procedures.lists import select_list

# Of these a customer waits for something that nobody but a person brings on.
TODAY = (
    "mail-failed",
    "mail-in-doubt",
    "mail-policy",
    "bounce-unknown",
    "arrangement-waiting",
    "autopay-left-out",
)
_FEED = "feed"  # a stage of exceptions: what other systems told, or refused
_DO = {
    "mail-failed": "Send again, or write to the customer otherwise: {} not delivered",
    "mail-in-doubt": "Say what became of {} in doubt",
    "mail-policy": "Ask IT why a server refuses us: {} refused",
    "bounce-unknown": "Judge {} that came back",
    "arrangement-waiting": "Say yes or no to {}",
    "autopay-left-out": "Schedule {} that the schedule left out",
}
_NOUNS = {
    "arrangement-waiting": "payment plan",
    "autopay-left-out": "autopay payment",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of the headline; `about` is a list of the catalog, or a `close`, of `period`."""

    text: str
    about: str = ""
    period: str = ""
    is_red: bool = False


@dataclass(frozen=True, slots=True)
class NextAct:
    """
    Something to be done today; `about` and `period` say where, as a clause's do.

    `code` is that of the exceptions it is about.
    """

    sentence: str
    about: str
    period: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """Where the month stands in one line, and what is to be done, the most urgent first."""

    clauses: tuple[Clause, ...]
    acts: tuple[NextAct, ...]
    undrawn: Undrawn  # what the line says of autopay whose day is past

    @property
    def sentence(self) -> str:
        """Write `October closed on Nov 2 by anna; 3 bills held; 48 exceptions, …`."""
        return "; ".join(clause.text for clause in self.clauses) + "." if self.clauses else ""


def read_headline(office: Office) -> Headline:
    """
    Read the line of the month: the newest close of each cycle, what is held, waits or is late.

    Exceptions are those of the months that the line tells of, and whatever older one needs a
    person today (rules 5-8, 73). Every figure is of this moment.
    """
    zone = newest_timezone(office.database)
    looking = Looking(office, office.clock.due(zone), zone)
    months = _newest_months(office, ZoneInfo(zone), looking.today)
    late = [one for one in late_periods(looking) if one.state is State.TROUBLE]
    schedules = [one for one in forgotten_schedules(looking) if one.state is State.TROUBLE]
    total, today = _count_exceptions(office, [month.period for month in months])
    clauses = [month.clause for month in months]
    clauses += [*_held(office), *_exceptions(total, sum(count for _, count in today))]
    clauses += [_say_late(looking, one) for one in late]
    begun = list(_month_acts(months))
    unfinished = {act.period for act in begun}  # whose close, gone on with, schedules too
    forgotten = [one for one in schedules if one.about not in unfinished]
    draws = undrawn(office.database, office.due_now())
    clauses += _say_undrawn(draws)
    acts = [
        *_late_acts(late),
        *begun,
        *_schedule_acts(forgotten),
        *_draw_acts(draws),
        *_acts(today),
    ]
    return Headline(tuple(clauses), tuple(acts), draws)


@dataclass(frozen=True, slots=True)
class _Month:
    period: str
    state: RunState
    is_closed: bool
    clause: Clause


def _newest_months(office: Office, zone: ZoneInfo, today: date) -> list[_Month]:
    """Return the newest close of each cycle, and what is imported and not closed yet."""
    rows = bill_run.c
    query = (
        sa.select(
            rows.period, rows.cycle, rows.state, rows.starts_on, rows.ends_on,
            period_close.c.closed_at, period_close.c.closed_by,
        )
        .outerjoin(period_close, period_close.c.period == rows.period)
        .where(rows.cycle != FINAL_CYCLE)
        .order_by(rows.ends_on.desc(), rows.cycle)
    )  # fmt: skip
    with office.database.reading() as books:
        found = books.execute(query).all()
    told: list[_Month] = []
    closed: set[str] = set()
    for row in found:
        if row.closed_at is None:
            told.append(_open_month(row, today))
        elif row.cycle not in closed:
            closed.add(row.cycle)
            told.append(_closed_month(row, zone, today))
    return sorted(told, key=lambda month: not month.is_closed)


def _closed_month(row: sa.Row[tuple[object, ...]], zone: ZoneInfo, today: date) -> _Month:
    day = row.closed_at.astimezone(zone).date()
    text = f"{say_month(row.ends_on, row.cycle, today)} closed on {day:%b} {day.day}"
    text += f" by {row.closed_by}"
    is_done = row.state is RunState.FINISHED
    if not is_done:
        text += ", its steps are not all done"
    return _Month(row.period, row.state, True, Clause(text, "close", row.period, not is_done))


_OPEN = {
    RunState.WAITING: "is ready and waits for a yes",
    RunState.REFUSED: "is refused",
}


def _open_month(row: sa.Row[tuple[object, ...]], today: date) -> _Month:
    said = _OPEN.get(row.state, f"is {row.state}")
    text = f"{say_month(row.ends_on, row.cycle, today)} {said}"
    clause = Clause(text, "close", row.period, row.state is RunState.REFUSED)
    return _Month(row.period, row.state, False, clause)


def say_month(ends_on: date, cycle: str, today: date) -> str:
    """Write `October`, with its year where that is another one, and with its cycle."""
    year = "" if ends_on.year == today.year else f" {ends_on.year}"
    return f"{ends_on:%B}{year}{f' (cycle {cycle})' if cycle else ''}"


def _held(office: Office) -> Iterator[Clause]:
    shown = select_list(office, "outsorted").subquery()
    with office.database.reading() as books:
        count = books.scalar(sa.select(sa.func.count()).select_from(shown)) or 0
    if count:
        yield Clause(f"{say_count(count, 'bill')} held", "outsorted")


def _exceptions(total: int, today: int) -> Iterator[Clause]:
    if total:
        urgent = f"{today:,}" if today else "none"
        text = f"{say_count(total, 'exception')}, {urgent} urgent"
        yield Clause(text, "exceptions", is_red=bool(today))


def _count_exceptions(office: Office, periods: Sequence[str]) -> tuple[int, list[tuple[str, int]]]:
    """Count the exceptions of some periods, and by code those of all that need a person today."""
    rows = select_list(office, "exceptions").subquery().c
    blocking = sa.exists().where(
        check_result.c.period == rows.period,
        check_result.c.check_name == rows.code,
        check_result.c.severity == Severity.BLOCKING,
        check_result.c.status == CheckStatus.FAILED,
        ~sa.exists().where(period_close.c.period == check_result.c.period),
    )
    is_urgent = sa.or_(
        rows.code.in_(TODAY), rows.stage == _FEED, sa.and_(rows.stage == "check", blocking)
    )
    urgent = sa.case((is_urgent, 1), else_=0).label("urgent")
    query = (
        sa.select(rows.code, urgent, sa.func.count().label("times"))
        .where(sa.or_(is_urgent, rows.period.in_(periods)))
        .group_by(rows.code, urgent)
        .order_by(rows.code)
    )
    with office.database.reading() as books:
        found = books.execute(query).all()
    total = sum(row.times for row in found)
    return total, [(row.code, row.times) for row in found if row.urgent]


def _say_late(looking: Looking, late: Condition) -> Clause:
    """Write `November's export is 2 days late`, or its close."""
    days = (looking.today - late.since.astimezone(ZoneInfo(looking.zone)).date()).days + 1  # type: ignore[union-attr]
    name = _month_of(late.about, looking.today)
    what = "export" if late.kind == "export-overdue" else "close"
    return Clause(f"{name}'s {what} is {say_count(days, 'day')} late", "close", is_red=True)


def _month_of(period: str, today: date) -> str:
    """Return the month that a period's key begins with, else the key."""
    try:
        first = date.fromisoformat(f"{period[:7]}-01")
    except ValueError:
        return period
    return say_month(first, period[8:], today)


def _late_acts(late: Sequence[Condition]) -> Iterator[NextAct]:
    for one in late:
        if one.kind == "export-overdue":
            text = f"Make the export of {one.about} in the billing system, and close it"
            yield NextAct(text, "close")
        else:
            yield NextAct(f"Close {one.about}: its first day to be closed is past", "close")


def _month_acts(months: Sequence[_Month]) -> Iterator[NextAct]:
    for month in months:
        if month.is_closed and month.state is not RunState.FINISHED:
            yield NextAct(f"Close {month.period} again to go on with it", "close", month.period)
        elif month.state is RunState.WAITING and not month.is_closed:
            yield NextAct(f"Say yes or no to the close of {month.period}", "close", month.period)
        elif month.state is RunState.REFUSED and not month.is_closed:
            text = f"See why {month.period} is refused: correct the export, or approve it"
            yield NextAct(text, "close", month.period)


def _schedule_acts(schedules: Sequence[Condition]) -> Iterator[NextAct]:
    for one in schedules:
        text = f"Schedule the autopay of {one.about}: who is past the chosen day is drawn at once"
        yield NextAct(text, "schedule", one.about)


def _say_undrawn(draws: Undrawn) -> Iterator[Clause]:
    """Write `autopay of Nov 10 not drawn`, where nobody collected on its day (ruling 20)."""
    if draws.since is not None:
        text = f"autopay of {draws.since:%b} {draws.since.day} not drawn"
        yield Clause(text, "scheduled-payments", is_red=True)


def _draw_acts(draws: Undrawn) -> Iterator[NextAct]:
    if draws.since is not None:
        count = say_count(draws.payments, "autopay payment")
        text = f"Collect {count}, {draws.amount.dollars()}, whose day is past"
        yield NextAct(text, "scheduled-payments")


def _acts(today: Sequence[tuple[str, int]]) -> Iterator[NextAct]:
    for code, count in today:
        said = say_count(count, _NOUNS.get(code, "email" if code in _DO else "exception"))
        sentence = _DO[code].format(said) if code in _DO else f"Look into {said}: {code}"
        yield NextAct(sentence, "exceptions", code=code)
