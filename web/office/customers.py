"""An account at a glance: what is owed, what is planned, who is linked, what was sent."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from database.definitions.in_force import link_in_force
from database.queries.portal.accounts import newest_account
from database.queries.standings import standings_of
from domain.accounts import account_key
from office.procedures.lists import select_list
from reporting.lists.catalog import LISTS
from reporting.lists.writing import to_text
from web.layout import missing
from web.office.layout import show_office
from web.office.lists import to_shown
from web.visits import Visit

ROWS = 12  # of each list, the newest
GLANCED_AT = (
    ("bills", "Bills", ("period", "form", "amount_due", "due_date", "pages")),
    ("scheduled-payments", "Payments", ("period", "pay_date", "amount", "method", "status")),
    ("autopay-unscheduled", "Autopay without a payment", ("period", "reason")),
    ("deliveries", "Emails", ("period", "kind", "recipient", "status", "sent_at", "error")),
    ("exceptions", "What needs a person", ("period", "stage", "code", "message")),
)


def show_customer(visit: Visit) -> Response:
    key = account_key(visit.path("account"))
    with visit.office.database.reading() as books:
        known = newest_account(books, key) if key else None
        standing = next(iter(standings_of(books, [key])), None) if key else None
        linked = [] if known is None else _linked(books, known.period, key)
    if known is None:
        return missing(visit)
    return show_office(
        visit,
        "customer-at-a-glance.html",
        account=known,
        standing=standing,
        linked=linked,
        parts=[_part(visit, key, *part) for part in GLANCED_AT],
    )


def _linked(books: sa.Connection, period: str, key: str) -> list[Any]:
    row = link_in_force.c
    query = sa.select(row.address, row.paperless).where(
        row.period == period, row.account_key == key
    )
    return list(books.execute(query.order_by(row.address)).all())


def _part(visit: Visit, key: str, what: str, title: str, names: tuple[str, ...]) -> dict[str, Any]:
    shown = select_list(visit.office, what).subquery()
    order = [shown.c[name].desc() for name in LISTS[what].order]
    query = sa.select(shown).where(shown.c._account_key == key).order_by(*order).limit(ROWS)
    with visit.office.database.reading() as books:
        rows = books.execute(query).mappings().all()
    return {
        "title": title,
        "headings": [name.replace("_", " ").capitalize() for name in names],
        "rows": [[to_text(to_shown(row[name], visit.zone)) for name in names] for row in rows],
    }
