"""An account at a glance: what is owed, what is planned, who is linked, what was sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from starlette.responses import Response

from database.definitions.in_force import account_now, link_in_force
from database.queries.outsorted import is_outsorted
from database.queries.periods import newest_first
from database.queries.portal.accounts import newest_account
from database.queries.portal.standings import standings_of
from database.tables import account, bill_run, outsorted_bill
from domain.accounts import account_key
from office.procedures.lists import select_list
from reporting.lists.catalog import LISTS
from reporting.lists.reading import NOT_BEFORE_THE_CLOSE, closed_periods
from web.layout import missing
from web.office.layout import show_office
from web.office.lists import ShownCell, shown_cell
from web.office.pages import WHATEVER_STATUS
from web.office.permissions import Permission, may
from web.visits import Visit

ROWS = 12  # of each list, the newest
PERIODS = 3  # of an account, the newest: whose bill may be held
GLANCED_AT = (
    ("bills", "Bills", ("period", "form", "amount_due", "due_date", "pages")),
    (
        "scheduled-payments",
        "Payments",
        ("period", "pay_date", "amount", "method", "status", "error"),
    ),
    (
        "movements",
        "What moved the balance",
        ("date", "type", "amount", "service", "description", "reference", "source"),
    ),
    ("autopay-unscheduled", "Autopay without a payment", ("period", "reason")),
    ("deliveries", "Emails", ("period", "kind", "recipient", "status", "sent_at", "error")),
    ("exceptions", "What needs a person", ("period", "stage", "code", "message")),
)


def show_customer(visit: Visit, problems: dict[str, str] | None = None, said: str = "") -> Response:
    """Show an account; `said` is what was just done with one of its bills."""
    key = account_key(visit.path("account"))
    with visit.office.database.reading() as books:
        known = _known(books, key) if key else None
        standing = next(iter(standings_of(books, [key])), None) if key else None
        linked = [] if known is None else _linked(books, known.period, key)
        holds = _read_holds(books, key)
    if known is None:
        return missing(visit)
    return show_office(
        visit,
        "customer-at-a-glance.html",
        422 if problems else 200,
        account=known,
        may_correct=may(visit.user.role, Permission.CORRECT),
        may_enroll=may(visit.user.role, Permission.DECIDE),
        whatever_status=WHATEVER_STATUS,
        may_serve="csr" in visit.office.settings.web.serves
        and may(visit.user.role, Permission.CUSTOMER_SERVICE),
        may_hold=may(visit.user.role, Permission.OUTSORT),
        problems=problems or {},
        said=said,
        values={} if said else visit.form,
        **holds,
        standing=standing,
        linked=linked,
        parts=[_part(visit, key, *part) for part in GLANCED_AT],
    )


def _known(books: sa.Connection, key: str) -> Any:
    """Return an account of its newest closed period, or of the newest export where none is."""
    known = newest_account(books, key)
    if known is not None:
        return known
    row = account_now.c
    staged = sa.select(account_now).join(bill_run, bill_run.c.period == row.period)
    newest = staged.where(row.account_key == key).order_by(*newest_first())
    return books.execute(newest.limit(1)).one_or_none()


def _linked(books: sa.Connection, period: str, key: str) -> list[Any]:
    row = link_in_force.c
    query = sa.select(row.address, row.paperless).where(
        row.period == period, row.account_key == key
    )
    return list(books.execute(query.order_by(row.address)).all())


def _part(visit: Visit, key: str, what: str, title: str, names: tuple[str, ...]) -> dict[str, Any]:
    shown = select_list(visit.office, what).subquery()
    to_cell = _bill_cell if what == "bills" else _plain_cell
    order = [shown.c[name].desc() for name in LISTS[what].order]
    query = sa.select(shown).where(shown.c._account_key == key).order_by(*order).limit(ROWS)
    if what in NOT_BEFORE_THE_CLOSE:
        query = query.where(shown.c.period.in_(closed_periods()))
    with visit.office.database.reading() as books:
        rows = books.execute(query).mappings().all()
    return {
        "title": title,
        "headings": [name.replace("_", " ").capitalize() for name in names],
        "rows": [[to_cell(visit, name, row) for name in names] for row in rows],
    }


def _plain_cell(visit: Visit, name: str, row: Any) -> ShownCell:
    return shown_cell(name, row[name], visit.zone)


def _bill_cell(visit: Visit, name: str, row: Any) -> ShownCell:
    """Write a value of a bill; its form leads to its PDF, where there is one."""
    cell = _plain_cell(visit, name, row)
    if name != "form" or not row["pdf"]:
        return cell
    link = f"/office/customers/{quote(row['account'], safe='')}/bill/{row['sha256']}"
    return replace(cell, text=f"{cell.text} (PDF)", link=link)


def send_bill(visit: Visit) -> Response:
    """Send the PDF of a bill of a closed period, one that is held back, too (rules 11, 13)."""
    shown = select_list(visit.office, "bills").subquery()
    query = sa.select(shown.c.pdf).where(
        shown.c._account_key == account_key(visit.path("account")),
        shown.c.sha256 == visit.path("sha256"),
        shown.c.pdf != "",
        shown.c.period.in_(closed_periods()),
    )
    with visit.office.database.reading() as books:
        pdf = books.scalars(query).first()
    try:
        content = visit.office.store.read(pdf) if pdf else b""
    except FileNotFoundError:
        content = b""
    if not content:
        return missing(visit)
    return Response(
        content, media_type="application/pdf", headers={"Content-Disposition": "inline"}
    )


def _read_holds(books: sa.Connection, key: str) -> dict[str, Any]:
    """Return what an account's page offers: the held bills, and the periods that may be."""
    rows = outsorted_bill.c
    held = sa.select(rows.period, rows.reason, rows.outsorted_by, rows.check_name).where(
        rows.account_key == key, rows.released_at.is_(None)
    )
    free = (
        sa.select(bill_run.c.period)
        .join(account, account.c.period == bill_run.c.period)
        .where(account.c.account_key == key, ~is_outsorted(bill_run.c.period, sa.literal(key)))
        .order_by(*newest_first())
        .limit(PERIODS)
    )
    return {
        "held": list(books.execute(held.order_by(rows.period.desc(), rows.number)).all()),
        "holdable": list(books.scalars(free)),
    }
