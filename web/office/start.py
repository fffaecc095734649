"""The office's first page: where the month stands, what is red, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from office.health.health import look_at_books
from office.lookup.headline import Clause, NextAct
from office.lookup.standing import BANK_DIFFERENCES, UNDO, WaitingMatter, read_standing
from office.lookup.year import read_year
from web.guarding import BANK
from web.office.layout import show_office
from web.office.pages import SCHEDULE
from web.visits import Visit


@dataclass(frozen=True, slots=True)
class LinkedText:
    """A sentence or a part of one, and the page that shows what it is about."""

    text: str
    path: str
    is_red: bool = False


def show_start(visit: Visit) -> Response:
    """
    Show where the month stands, as `billclose status` says it; every figure is of now.

    In red is what `billclose health` calls a trouble: a close forgotten, cash receipting that does
    not answer, a server that is down (rules 8, 186, 189).
    """
    standing = read_standing(visit.office)
    line = standing.headline
    year = _year_of(visit)
    return show_office(
        visit,
        "start.html",
        headline=[LinkedText(one.text, _path(one), one.is_red) for one in line.clauses],
        acts=[LinkedText(one.sentence, _path(one, one.code)) for one in line.acts],
        months=standing.months,
        matters=[LinkedText(one.sentence, _path_of(one)) for one in standing.matters],
        coming=standing.coming,
        troubles=look_at_books(visit.office).troubles,
        year=year,
        periods=read_year(visit.office, year),
    )


def _path_of(matter: WaitingMatter) -> str:
    if matter.what == UNDO:
        return f"/office/close/{matter.period}/undo"
    return _PATHS[matter.what]


def _year_of(visit: Visit) -> int:
    """Return the year whose calendar is asked for, this one unless an address names another."""
    typed = visit.request.query_params.get("year", "")
    if typed.isascii() and typed.isdigit() and FIRST <= int(typed) <= LAST:
        return int(typed)
    return visit.office.local_today().year


def _path(about: Clause | NextAct, code: str = "") -> str:
    """Return the page of what a clause or an act is about; of a close, that of its period."""
    if about.about == "close":
        return f"/office/close/{about.period}" if about.period else "/office/close"
    path = _PATHS[about.about]
    if code:
        return f"{path}?{urlencode({'code': code})}"
    return f"{path}?{urlencode({'period': about.period})}" if about.period else path


FIRST, LAST = 2000, 2100
_PATHS = {
    "scheduled-payments": "/office/payments",
    "pending-payments": "/office/payments/pending",
    "unknown-payments": "/office/payments/unknown",
    "returned-payments": "/office/payments/returned?kind=dispute",
    "bounces": "/office/emails/bounces?waits=yes",
    "outsorted": "/office/outsorted",
    "print-batches": "/office/print",
    "exceptions": "/office/exceptions",
    BANK_DIFFERENCES: BANK,
    "schedule": SCHEDULE,
}
