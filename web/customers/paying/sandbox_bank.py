"""The sandbox's own page of a bank, on which a customer says yes or no to a payment."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from rules.portal_access import own_path
from web.layout import missing, show
from web.visits import Visit, redirect

YES, NO, GONE = "yes", "no", "gone"  # gone: yes, and the browser never comes back


def show_bank(visit: Visit) -> Response:
    """Ask about a payment; where a real gateway collects there is no such page."""
    gateway = visit.office.sandbox_gateway
    page = None if gateway is None else gateway.bank_page(visit.path("key"))
    if page is None:
        return missing(visit)
    back = own_path(urlsplit(page.returns_to).path)
    return show(visit, "sandbox-bank.html", page=page, back=back)


def take_answer(visit: Visit) -> Response:
    """Answer the bank, which tells the gateway by itself, and lead back to the portal."""
    gateway, key = visit.office.sandbox_gateway, visit.path("key")
    page = None if gateway is None else gateway.bank_page(key)
    if gateway is None or page is None:
        return missing(visit)
    answer = visit.text("answer")
    if answer in (YES, NO, GONE):
        gateway.answer_bank(key, answer != NO)
    if answer not in (YES, NO):
        return show_bank(visit)
    return redirect(own_path(urlsplit(page.returns_to).path))
