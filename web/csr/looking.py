"""Looking at the portal with the customer's eyes, in a window of its own (rules 158, 159)."""

from __future__ import annotations

from starlette.responses import Response

from domain.failures import Refused
from domain.identity import PortalUser
from identity.customer_service.impersonation import begin_looking, end_looking
from web.csr.layout import person_of, problem_of, show_person, unknown
from web.visits import LOOK_COOKIE, Visit, clear_session, redirect, set_session

LONGEST_REASON = 200  # characters


def ask_why(visit: Visit) -> Response:
    person = person_of(visit)
    return unknown(visit) if person is None else _page(visit, person)


def begin_look(visit: Visit) -> Response:
    """Write down why, then open the customer's portal: read-only, for half an hour (ruling 26)."""
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    if "customers" not in visit.office.settings.web.serves:
        return _page(visit, person, {"": "This desk does not serve the customers' pages."}, 409)
    try:
        with visit.office.database.writing() as books:
            reason = visit.text("reason")[:LONGEST_REASON]
            token = begin_looking(books, visit.user, person.number, reason, visit.now)
    except Refused as refusal:
        return _page(visit, person, problem_of(refusal, "reason"), 422)
    response = redirect("/")
    set_session(visit.office, response, token, LOOK_COOKIE)
    return response


def end_look(visit: Visit) -> Response:
    with visit.office.database.writing() as books:
        end_looking(books, visit.user, visit.now)
    response = redirect("/csr?done=looked")
    clear_session(visit.office, response, LOOK_COOKIE)
    return response


def _page(
    visit: Visit, person: PortalUser, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    return show_person(visit, person, "csr-impersonate.html", status, problems=problems or {})
