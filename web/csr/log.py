"""The activity log of a portal user (rules 166-169): since the account began, nothing is purged."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from starlette.responses import Response

from database.queries.customers.activity import activities_of, kinds_of
from web.csr.layout import person_of, show_person, unknown
from web.visits import Visit

ROWS_A_PAGE = 20


def show_log(visit: Visit) -> Response:
    """
    Show what happened in a customer's portal, newest first, of the kinds that are checked.

    In pages, by number or one after the other, or all at once.
    """
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    asked = visit.request.query_params
    with visit.office.database.reading() as books:
        every = kinds_of(books, person.number)
        chosen = [kind for kind in every if kind in asked.getlist("kind")]
        kinds = chosen if "filtered" in asked else every
        rows = activities_of(person.number, kinds)
        total = books.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0
        pages = max(1, -(-total // ROWS_A_PAGE))
        page = min(max(_number(asked.get("page", "1")), 1), pages)
        views_all = asked.get("view") == "all"
        if not views_all:
            rows = rows.limit(ROWS_A_PAGE).offset((page - 1) * ROWS_A_PAGE)
        shown = books.execute(rows).all()
    path = f"/csr/customers/{person.number}/activity"
    filters = [("filtered", "1"), *(("kind", kind) for kind in kinds)]
    kept = filters if "filtered" in asked else []
    return show_person(
        visit,
        person,
        "csr-log.html",
        tab="activity",
        rows=[(row, _moment(row.at, visit)) for row in shown],
        boxes=[(kind, kind.capitalize(), kind in kinds) for kind in every],
        kept=kept,
        total=total,
        page=page,
        pages=pages,
        views_all=views_all,
        link_to=lambda number: _link(path, [*kept, ("page", str(number))]),
        all_link=_link(path, [*kept, ("view", "all")]),
        paged_link=_link(path, kept),
    )


def _moment(at: Any, visit: Visit) -> str:
    local = at.astimezone(visit.zone)
    return f"{local:%b} {local.day}, {local.year}, {local:%H:%M}"


def _link(path: str, asked: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(asked)}" if asked else path


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
