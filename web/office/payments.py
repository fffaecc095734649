"""Pending payments, and posting them again now (rules 84-87)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from office.procedures.posting import post_what_is_due, tell_office
from web.office.lists import show_list
from web.office.pages import groups, page_of
from web.office.permissions import Permission, may
from web.visits import Visit, redirect

PENDING = page_of("pending-payments")


@dataclass(frozen=True, slots=True)
class PageAction:
    """A button of a page, and where it leads."""

    path: str
    name: str


def show_pending(visit: Visit) -> Response:
    retry = PageAction("/office/payments/pending/retry", "Retry now")
    tried = visit.request.query_params.get("done") == "tried"
    return show_list(
        visit,
        PENDING,
        groups()["payments"],
        action=retry if may(visit.user.role, Permission.RETRY) else None,
        message="Everything that waited was tried. What stands here still could not be entered."
        if tried
        else "",
    )


def retry_now(visit: Visit) -> Response:
    """Post what waits in cash receipting, at once; nobody is charged (rule 87). It is audited."""
    post_what_is_due(visit.office, forced=True)
    tell_office(visit.office)
    return redirect("/office/payments/pending?done=tried")
