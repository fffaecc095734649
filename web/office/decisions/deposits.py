"""Items of the gateway's payouts that do not agree with the books, and settling one."""

from __future__ import annotations

from starlette.responses import Response

from domain.failures import Misuse
from payments.outcomes.settlements import list_differences, settle_item
from web.office.layout import show_office
from web.office.pages import DIFFERENCES, groups
from web.office.permissions import Permission, may
from web.visits import LONGEST_REASON, Visit, redirect


def show_differences(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    return show_office(
        visit,
        "differences.html",
        422 if problems else 200,
        group=groups()["deposits"],
        differing=list_differences(visit.office.database, visit.office.due_now()),
        may_decide=may(visit.user.role, Permission.DECIDE),
        problems=problems or {},
        values=visit.form,
        is_settled=visit.request.query_params.get("done") == "settled",
    )


def take_settled(visit: Visit) -> Response:
    """Take a person's word that a difference is settled; nobody hears of it any more."""
    item, reason = visit.text("item"), visit.text("reason")[:LONGEST_REASON]
    problems = {} if item else {"item": "Choose the item that is settled."}
    if not reason:
        problems["reason"] = "Say how it was settled: it is audited."
    if problems:
        return show_differences(visit, problems)
    office = visit.office
    try:
        settle_item(office.database, item, reason, now=office.due_now(), who=office.who)
    except Misuse as refused:
        return show_differences(visit, {"item": refused.message})
    return redirect(f"{DIFFERENCES}?done=settled")
