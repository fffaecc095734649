"""Pages that belong to nobody, as pictures beside the account that they seem to be of."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from starlette.responses import Response

from database.runs import find_run
from database.tables import account
from domain.accounts import account_key
from domain.failures import Misuse, Refused
from office.equipment.office import Office
from splitter.printing.page_pictures import write_picture
from splitter.runs.page_rulings import (
    SortedPage,
    file_of_unassigned,
    forget_ruling,
    list_pages,
    rule_page,
)
from web.layout import missing
from web.office.layout import show_office
from web.office.permissions import Permission, may
from web.visits import LONGEST_REASON, Visit, redirect

PAGES = "/office/close/{period}/pages"
PICTURE = "/office/close/{period}/pages/picture.png"
SHOWN = 6  # pictures on a page: each is drawn by a process of its own
LARGEST_PICTURE = 20_000_000  # octets
SECONDS = 30  # somebody waits until others' pictures are drawn
_DRAWING = threading.BoundedSemaphore(2)
_DONE = {
    "give": "The page is given to the account. Close the period again: it is split anew.",
    "drop": "The page is set aside. Close the period again: it is split anew.",
    "forget": "What was said of the page is taken back.",
}


def show_pages(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show the pages that belong to nobody, a few at a time, each with what is known of it."""
    office, period = visit.office, visit.path("period")
    run = find_run(office.database, period)
    if run is None:
        return missing(visit)
    found = _unassigned(office, period)
    asked = visit.form if visit.is_post else visit.request.query_params
    begin = _begin_of(asked.get("from", ""), len(found))
    shown = found[begin : begin + SHOWN]
    return show_office(
        visit,
        "sort-pages.html",
        422 if problems else 200,
        period=period,
        shown=[(one, _picture_link(period, one)) for one in shown],
        accounts=_accounts(office, period, (one.seems or one.account for one in shown)),
        count=len(found),
        begin=begin,
        following=begin + SHOWN if begin + SHOWN < len(found) else 0,
        before=max(begin - SHOWN, 0),
        may_rule=may(visit.user.role, Permission.OUTSORT) and not run.is_closed,
        is_closed=run.is_closed,
        message=_DONE.get(visit.request.query_params.get("done", ""), ""),
        wrong=(visit.text("file"), visit.text("page")) if problems else ("", ""),
        problems=problems or {},
    )


def show_picture(visit: Visit) -> Response:
    """Draw one page that belongs to nobody; of no other page is there a picture."""
    office, asked = visit.office, visit.request.query_params
    number = _number(asked.get("page", ""))
    try:
        path = file_of_unassigned(
            office.database,
            visit.path("period"),
            office.exports_folder,
            asked.get("file", ""),
            number,
        )
        content = _draw(path, number)
    except (Misuse, Refused):
        return missing(visit)
    return Response(
        content,
        media_type="image/png",
        headers={"content-security-policy": "default-src 'none'; sandbox"},
    )


def take_ruling(visit: Visit) -> Response:
    """Write down whose a page is, that it is nobody's, or take back what was said of it."""
    office, period, how = visit.office, visit.path("period"), visit.text("how")
    if find_run(office.database, period) is None or how not in _DONE:
        return missing(visit)
    to, reason = visit.text("account").strip(), visit.text("reason").strip()[:LONGEST_REASON]
    if not reason:
        return show_pages(visit, {"reason": "Say why; it is audited."})
    if how == "give" and not to:
        return show_pages(visit, {"account": "Write the account whose page it is."})
    file, number = visit.text("file"), _number(visit.text("page"))
    told: dict[str, Any] = {"reason": reason, "now": office.due_now(), "who": office.who}
    where = office.database, period, office.exports_folder, file, number
    try:
        file_of_unassigned(*where)
        if how == "forget":
            forget_ruling(*where, **told)
        else:
            rule_page(*where, to=to if how == "give" else "", **told)
    except (Misuse, Refused) as refused:
        return show_pages(visit, {"account": refused.message})
    begin = visit.text("from")
    return redirect(f"{PAGES.format(period=period)}?{urlencode({'from': begin, 'done': how})}")


def _unassigned(office: Office, period: str) -> list[SortedPage]:
    return list_pages(office.database, period, office.exports_folder, unassigned_only=True)


def _accounts(office: Office, period: str, numbers: Iterable[str]) -> dict[str, Any]:
    """Return the accounts that pages may be of, by number, as the export has them."""
    columns = account.c.account, account.c.name, account.c.service_address, account.c.amount_due
    keys = {account_key(number) for number in numbers if number}
    query = sa.select(*columns).where(account.c.period == period, account.c.account_key.in_(keys))
    with office.database.reading() as books:
        return {row.account: row for row in books.execute(query)}


def _draw(path: Path, number: int) -> bytes:
    """Return a page's picture; nothing of it stays on the disk. Raises Refused."""
    if not _DRAWING.acquire(timeout=SECONDS):
        raise Refused("no-picture", "Too many pictures are being drawn; look again.")
    try:
        with tempfile.TemporaryDirectory(prefix="billclose-page-") as folder:
            place = Path(folder) / "page.png"
            write_picture(path, number - 1, place)
            if place.stat().st_size > LARGEST_PICTURE:
                raise Refused("no-picture", "The picture is too large.")
            return place.read_bytes()
    finally:
        _DRAWING.release()


def _picture_link(period: str, one: SortedPage) -> str:
    query = urlencode({"file": one.file, "page": one.page})
    return f"{PICTURE.format(period=period)}?{query}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _begin_of(text: str, count: int) -> int:
    """Return where the shown pages begin; behind the last one there is nothing to show."""
    wanted = _number(text) // SHOWN * SHOWN
    return wanted if wanted < count else max((count - 1) // SHOWN * SHOWN, 0)
