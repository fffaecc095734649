"""The sandbox's own page for payment methods: it lists the test tokens and what each does."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from payments.sandbox.test_methods import BY_TOKEN, TEST_METHODS
from rules.portal_access import own_path
from web.layout import missing, show
from web.visits import Visit, redirect


def show_test_methods(visit: Visit) -> Response:
    """Show the page of a visit; where a real gateway collects there is none."""
    sandbox = visit.office.sandbox_capture
    if sandbox is None or sandbox.returns_to(visit.path("key")) is None:
        return missing(visit)
    return show(visit, "sandbox-methods.html", methods=TEST_METHODS)


def take_test_method(visit: Visit) -> Response:
    """Take down the test token that was chosen, and lead back to the portal."""
    sandbox, key = visit.office.sandbox_capture, visit.path("key")
    returns_to = None if sandbox is None else sandbox.returns_to(key)
    if sandbox is None or returns_to is None:
        return missing(visit)
    if visit.text("token") not in BY_TOKEN:
        problems = {"token": visit.say("Choose one of the test payment methods.")}
        return show(visit, "sandbox-methods.html", 422, methods=TEST_METHODS, problems=problems)
    sandbox.choose(key, visit.text("token"))
    return redirect(own_path(urlsplit(returns_to).path))
