"""The office's first page: where the month stands, what is red, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from database.tables import bill_run, period_close
from domain.languages import say_short_day
from domain.runs import RunState
from domain.words import say_count
from office.procedures.lists import select_list
from web.office.layout import show_office
from web.visits import Visit

PERIODS = 6


@dataclass(frozen=True, slots=True)
class MonthStanding:
    """One period and how far it is."""

    period: str
    sentence: str
    is_closed: bool


@dataclass(frozen=True, slots=True)
class OpenMatter:
    """Something that a person should look at, and where."""

    sentence: str
    path: str


def show_start(visit: Visit) -> Response:
    """Show where the month stands; every figure is of this moment."""
    with visit.office.database.reading() as books:
        rows = books.execute(_periods()).all()
    months = [_to_standing(row, visit) for row in rows]
    return show_office(visit, "start.html", months=months, matters=_matters(visit))


def _periods() -> sa.Select[Any]:
    return (
        sa.select(
            bill_run.c.period,
            bill_run.c.state,
            bill_run.c.imported_at,
            bill_run.c.due_on,
            period_close.c.closed_at,
            period_close.c.closed_by,
        )
        .outerjoin(period_close, period_close.c.period == bill_run.c.period)
        .order_by(bill_run.c.starts_on.desc(), bill_run.c.period.desc())
        .limit(PERIODS)
    )


def _to_standing(row: Any, visit: Visit) -> MonthStanding:
    if row.closed_at is not None:
        day = say_short_day(row.closed_at.astimezone(visit.zone))
        due = say_short_day(row.due_on)
        sentence = (
            f"{row.period} was closed on {day} by {row.closed_by}; its bills are due on {due}."
        )
        if row.state is not RunState.FINISHED:
            sentence += " Its steps after the close are not all done: close it again to go on."
        return MonthStanding(row.period, sentence, is_closed=True)
    day = say_short_day(row.imported_at.astimezone(visit.zone))
    sentence = f"{row.period} was imported on {day} and is {_SAID[row.state]}."
    return MonthStanding(row.period, sentence, is_closed=False)


def _matters(visit: Visit) -> list[OpenMatter]:
    """Count what needs a person, by the lists that show it."""
    matters = []
    for what, path, noun, tail in _LOOKED_AT:
        shown = select_list(visit.office, what).subquery()
        query = sa.select(sa.func.count()).select_from(shown)
        if what == "bounces":
            query = query.where(shown.c.waits.is_(True))
        with visit.office.database.reading() as books:
            count = books.scalar(query) or 0
        if count:
            matters.append(OpenMatter(f"{say_count(count, noun)} {tail}", path))
    return matters


_LOOKED_AT = (
    ("pending-payments", "/office/payments/pending", "payment", "not in cash receipting"),
    ("unknown-payments", "/office/payments/unknown", "payment", "in doubt"),
    ("bounces", "/office/emails/bounces?waits=yes", "returned email", "to be judged"),
    ("exceptions", "/office/exceptions", "exception", "in all periods"),
)
_SAID = {
    RunState.WAITING: "ready: it waits for a yes",
    RunState.REFUSED: "refused: correct the export, or approve it in spite of that",
}
