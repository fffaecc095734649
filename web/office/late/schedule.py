"""Scheduling autopay for a closed period: rehearsed first, of a late run the groups chosen."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from database.runs import find_run
from database.tables import bill_run, period_close
from domain.desk_work import SCHEDULES, WorkKind, WorkState
from domain.schedule_groups import ScheduleGroup
from office.equipment.office import Office
from payments.scheduling.scheduling import count_left_out
from web.layout import missing
from web.office.begun.close_work import begin_work, is_going_on, newest_work
from web.office.layout import show_office
from web.office.pages import SCHEDULE, groups
from web.office.permissions import Permission, may
from web.visits import Visit, redirect

MOST = 12  # closed periods to choose from


def show_schedules(visit: Visit) -> Response:
    """Show the closed periods, the newest first, and of which of them payments were left out."""
    office = visit.office
    closed = [(period, count_left_out(office.database, period)) for period in _closed(office)]
    return show_office(
        visit, "schedules.html", group=groups()["payments"], closed=closed, schedule=SCHEDULE
    )


def show_schedule(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show what a schedule of today would bring, by group, once it was rehearsed (rules 59, 73)."""
    office, period = visit.office, visit.path("period")
    run = find_run(office.database, period)
    if run is None or not run.is_closed:
        return missing(visit)
    row = newest_work(office, period, SCHEDULES)
    going_on = is_going_on(row, visit.now)
    figures = json.loads(row.figures) if row is not None and row.figures else {}
    return show_office(
        visit,
        "schedule.html",
        422 if problems else 200,
        group=groups()["payments"],
        period=period,
        work=row,
        going_on=going_on,
        stopped=row is not None and row.state is WorkState.BEGUN and not going_on,
        figures=figures,
        is_today=figures.get("as_of") == office.today(run).isoformat(),
        rehearsed=row is not None and row.kind is WorkKind.SCHEDULE_REHEARSAL,
        digest=_digest(row),
        choices=[name for name in ScheduleGroup if name in figures.get("groups", {})],
        may_schedule=may(visit.user.role, Permission.CLOSE),
        here=f"{SCHEDULE}/{period}",
        all_periods=SCHEDULE,
        problems=problems or {},
    )


def take_rehearsal(visit: Visit) -> Response:
    """Schedule in a copy of the books: nobody is charged by it, and no mail leaves."""
    return _begin(visit, WorkKind.SCHEDULE_REHEARSAL)


def take_schedule(visit: Visit) -> Response:
    """Schedule the chosen groups of the rehearsal that the page showed, if it is of today."""
    office, period = visit.office, visit.path("period")
    row, run = newest_work(office, period, SCHEDULES), find_run(office.database, period)
    if run is None or not run.is_closed:
        return missing(visit)
    if problem := _not_rehearsed(row, visit.text("digest"), office.today(run).isoformat()):
        return show_schedule(visit, {"": problem})
    figures = json.loads(row.figures)
    chosen = [name for name in ScheduleGroup if visit.text(f"group-{name}")]
    if not chosen and any(name in figures["groups"] for name in ScheduleGroup):
        return show_schedule(visit, {"groups": "Choose at least one group."})
    return _begin(
        visit, WorkKind.SCHEDULE, json.dumps({"groups": chosen, "shown": figures["groups"]})
    )


def _not_rehearsed(row: Any, digest: str, today: str) -> str:
    """Say why what was shown may not be scheduled; empty where it may."""
    is_rehearsal = row is not None and row.kind is WorkKind.SCHEDULE_REHEARSAL
    if not is_rehearsal or row.state is not WorkState.DONE:
        return "Rehearse first: the page then shows who would be charged."
    if digest != _digest(row):
        return "It was rehearsed again meanwhile; look at the figures again."
    if json.loads(row.figures)["as_of"] != today:
        return "The rehearsal is of another day; rehearse again."
    return ""


def _begin(visit: Visit, kind: WorkKind, asked: str = "") -> Response:
    office, period = visit.office, visit.path("period")
    run = find_run(office.database, period)
    if run is None or not run.is_closed:
        return missing(visit)
    begin_work(office, kind, period, "", visit.now, asked, unless=SCHEDULES)
    return redirect(f"{SCHEDULE}/{period}")


def _digest(row: Any) -> str:
    return hashlib.sha256(f"{row.key}{row.figures}".encode()).hexdigest() if row is not None else ""


def _closed(office: Office) -> list[str]:
    query = (
        sa.select(period_close.c.period)
        .join(bill_run, bill_run.c.period == period_close.c.period)
        .order_by(bill_run.c.starts_on.desc())
        .limit(MOST)
    )
    with office.database.reading() as books:
        return list(books.scalars(query))
