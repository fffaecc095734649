"""Taking a close back: shown first, then done by as many people's yes as a close needs."""

from __future__ import annotations

from starlette.responses import Response

from corrections.undo.looking import (
    UndoRefused,
    say_taken_back,
    say_what_is_done_instead,
    say_what_stands,
)
from corrections.undo.taking_back import read_undone
from database.runs import find_run
from domain.failures import Misuse, Refused
from domain.words import say_count
from office.procedures.corrections import undoing
from web.layout import missing
from web.office.layout import show_office
from web.visits import LONGEST_REASON, Visit


def show_undo(visit: Visit, problems: dict[str, str] | None = None, said: str = "") -> Response:
    """Show what would be taken back, what stands, and what is done about each."""
    period, plan, refused = visit.path("period"), None, ""
    instead: list[str] = []
    if find_run(visit.office.database, period) is None:
        return missing(visit)
    try:
        if not read_undone(visit.office.database, period):  # a GET finishes nothing
            plan = undoing.look(visit.office, period, printed=bool(visit.text("printed")))
    except UndoRefused as found:
        refused, instead = found.message, say_what_is_done_instead(found.plan)
    except (Refused, Misuse) as found:
        refused = found.message
    return show_office(
        visit,
        "undo.html",
        422 if problems else 200,
        period=period,
        plan=plan,
        asked=undoing.said_so_far(visit.office, plan) if plan else (),
        taken_back=say_taken_back(plan) if plan else [],
        stands=say_what_stands(plan) if plan else [],
        refused=refused,
        instead=instead,
        said=said,
        problems=problems or {},
        values=visit.form,
    )


def take_undo(visit: Visit) -> Response:
    """Say yes to the close that the page showed being taken back; where enough did, it is done."""
    office, period = visit.office, visit.path("period")
    reason, printed = visit.text("reason")[:LONGEST_REASON], bool(visit.text("printed"))
    if find_run(office.database, period) is None:
        return missing(visit)
    if not reason:
        return show_undo(visit, {"reason": "Say why: it is audited."})
    try:
        if undoing.finish(office, period):
            return show_undo(visit)
        if undoing.look(office, period, printed=printed).digest != visit.text("close"):
            return show_undo(visit, {"reason": "It was closed again meanwhile; look at it anew."})
        answer = undoing.undo(office, period, reason, printed=printed)
    except (Refused, Misuse) as found:
        return show_undo(visit, {"reason": found.message})
    if answer.is_done:
        return show_undo(visit, said=f"{period} is not closed any more.")
    people = ", ".join(answer.approved_by)
    left = say_count(answer.missing, "other person")
    return show_undo(
        visit, said=f"Approved by {people}; {left} has to say yes too. Nothing was changed."
    )
