"""Landlords' links: made and ended on the page, by the procedures of the command (rule 133)."""

from __future__ import annotations

from starlette.responses import Response

from domain.failures import Misuse
from office.procedures.portal.landlords import link_landlord, unlink_landlord
from web.office.decisions.deciding import DecidedRow, RowDecision, Way
from web.office.layout import show_office
from web.office.pages import LINK_LANDLORD, page_of
from web.visits import LONGEST_REASON, Visit, redirect

LANDLORDS_PAGE = "/office/landlords"


def _end(visit: Visit, decided: DecidedRow) -> None:
    mailbox, _, cosigner_id = decided.key.partition(" ")
    unlink_landlord(visit.office, cosigner_id, mailbox, decided.reason)


LANDLORDS: tuple[RowDecision, ...] = (
    RowDecision(
        page_of("landlords"),
        f"{LANDLORDS_PAGE}/end",
        "End a landlord's link",
        "From now on this portal user sees none of the landlord's accounts, and gets no bill of "
        "theirs by mail. A link of the billing system's export stays off until an export that is "
        "imported later has it again.",
        (Way("ended", "End the link", "The link is ended.", _end),),
    ),
)


def show_linking(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Ask which landlord and which portal user, and why."""
    asked = visit.request.query_params.get("landlord", "")
    return show_office(
        visit,
        "link-landlord.html",
        422 if problems else 200,
        path=LINK_LANDLORD,
        back=LANDLORDS_PAGE,
        values=visit.form if visit.is_post else {"landlord": asked},
        problems=problems or {},
    )


def take_linking(visit: Visit) -> Response:
    """Link a portal user to a landlord, once it is said why; it is audited."""
    reason = visit.text("reason")[:LONGEST_REASON]
    needed = {"landlord": "the landlord's number", "address": "the portal user's e-mail address"}
    problems = {name: f"Type {what}." for name, what in needed.items() if not visit.text(name)}
    if not reason:
        problems["reason"] = "Say why: it is audited."
    if problems:
        return show_linking(visit, problems)
    try:
        link_landlord(visit.office, visit.text("landlord"), visit.text("address"), reason)
    except Misuse as refused:
        field = "landlord" if refused.code == "unknown-landlord" else "address"
        return show_linking(visit, {field: refused.message})
    return redirect(f"{LANDLORDS_PAGE}?done=linked")
