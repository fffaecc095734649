"""The sandbox's own page for payment methods: it lists the test tokens and what each does."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from payments.sandbox.test_methods import TestMethod
from rules.portal_access import own_path
from web.layout import missing, show
from web.visits import Visit, redirect


def show_test_methods(visit: Visit) -> Response:
    """Show the page of a visit; where a real gateway collects there is none."""
    sandbox = visit.office.sandbox_capture
    key = visit.path("key")
    returns_to = None if sandbox is None else sandbox.returns_to(key)
    if sandbox is None or returns_to is None:
        return missing(visit)
    return _page(visit, returns_to, sandbox.offered(key))


def take_test_method(visit: Visit) -> Response:
    """Take down the test token that was chosen, and lead back to the portal."""
    sandbox, key = visit.office.sandbox_capture, visit.path("key")
    returns_to = None if sandbox is None else sandbox.returns_to(key)
    if sandbox is None or returns_to is None:
        return missing(visit)
    offered = sandbox.offered(key)
    if visit.text("token") not in {one.token for one in offered}:
        problems = {"token": visit.say("Choose one of the test payment methods.")}
        return _page(visit, returns_to, offered, problems)
    sandbox.choose(key, visit.text("token"))
    return redirect(own_path(urlsplit(returns_to).path))


def _page(
    visit: Visit,
    returns_to: str,
    offered: tuple[TestMethod, ...],
    problems: dict[str, str] | None = None,
) -> Response:
    return show(
        visit,
        "sandbox-methods.html",
        422 if problems else 200,
        methods=offered,
        back=own_path(urlsplit(returns_to).path),
        problems=problems or {},
    )
