"""The page behind a link by which the office asks a customer for a payment method (rule 64)."""

from __future__ import annotations

from starlette.responses import Response

from domain.failures import Refused
from domain.phones import ending
from office.procedures.portal.method_capture import finish_link_capture
from office.procedures.portal.method_link import (
    begin_capture_by_link,
    find_method_link,
)
from web.customers.choices.wallet import NO_ANSWER, NO_PAGE
from web.customers.refusals import refusal_of
from web.layout import missing, show
from web.visits import Visit, redirect


def show_adding_by_link(visit: Visit) -> Response:
    """Show the button that leads to the gateway's page; looking uses nothing up."""
    return _page(visit, 200, {})


def take_adding_by_link(visit: Visit) -> Response:
    """Send whoever holds the link to the gateway's page, on which alone a number is typed."""
    try:
        url = begin_capture_by_link(visit.office, visit.path("token"))
    except Refused as refused:
        status, sentence = refusal_of(refused)
        return _page(visit, status, {"": visit.say(sentence)})
    except NO_ANSWER:
        return _page(visit, 503, {"": visit.say(NO_PAGE)})
    if url is None:
        return show(visit, "link-over.html", 410)
    if url.startswith("/"):
        return redirect(url)
    return show(visit, "add-method-go-on.html", url=url)


def take_added_by_link(visit: Visit) -> Response:
    """Save what was given on the gateway's page, which leads back here; a HEAD does nothing."""
    if visit.request.method != "GET":
        return redirect("/sign-in")
    try:
        added = finish_link_capture(visit.office, visit.path("key"))
    except LookupError:
        return missing(visit)
    except NO_ANSWER:
        return show(visit, "add-method-done.html", 503, method="", problem=visit.say(NO_PAGE))
    if added is None:
        return show(visit, "add-method-done.html", method="", problem="")
    name = visit.say_method(added.kind, added.last4, added.brand)
    return show(visit, "add-method-done.html", method=name, problem="")


def _page(visit: Visit, status: int, problems: dict[str, str]) -> Response:
    link, user = find_method_link(visit.office, visit.path("token"))
    if link is None or user is None:
        return show(visit, "link-over.html", 410)
    return show(visit, "add-method.html", status, ending=ending(link.about), problems=problems)
