"""What is somebody else's looks like what is not there: every address of the portal, walked."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from starlette.routing import Route

from database.definitions.identity import account_link
from database.tables import balance_due, bill_run
from domain.runs import RunState
from tests.builders import RUN
from tests.web.conftest import asking
from tests.web.customers.choices.conftest import MINE, TENANT, add_method
from web.desk import desk_of

# The sandbox plays the gateway's page, which goes by its random address alone and names nobody.
THE_GATEWAYS = ("/sandbox/methods/{key}", "/sandbox/bank/{key}")
# Of parts of one page, which lead back to it whoever asks; and what everybody may see. Guests have
# a cookie of their own (tests/web/customers/test_cart_pages.py); payments of other kinds are all's.
NOBODYS = {
    "/account/{part}",
    "/account/sign-in-with/{part}",
    "/account/two-step/{part}",
    "/account/passkeys/{part}",
}
OPEN_TO_ALL = re.compile(
    r"/(add-method|person|new-address|stop-address|register|verify|check-your-mail|unlock|not-me|invite|reset|sign-in|forgot|recover|second-step|sign-out"
    r"|language|oidc(?!/connect)|office|csr|guest|static|theme|webhooks|health|metrics|unsubscribe|exports|communications)\b"
)
MACHINES = re.compile(r"/(office|csr|webhooks|oidc/apple)\b")
LEADS_ELSEWHERE = {"/language", "/sign-in/leave"}  # no page ever stands at these addresses


def routes(office) -> list[tuple[str, str]]:
    """Return method and address of every page that is for whoever is signed in."""
    return [
        (method, route.path)
        for route in desk_of(office).routes
        if isinstance(route, Route) and not OPEN_TO_ALL.match(route.path)
        for method in sorted(route.methods - {"HEAD"})
    ]


def test_every_page_asks_a_stranger_to_sign_in(office, town):
    ask = asking(office)

    for method, path in routes(office):
        answer = ask(method, re.sub(r"{\w+}", "1", path))
        if path in THE_GATEWAYS:
            assert 404 == answer.status_code
            continue
        assert 303 == answer.status_code, (method, path)
        assert answer.headers["location"].startswith("/sign-in"), (method, path)


@pytest.fixture
def owned(tenant):
    """What is the tenant's, by its place in addresses."""
    begun = tenant.post("/wallet/add").headers["location"].rpartition("/")[2]
    return {
        "account": MINE, "method": add_method(tenant), "period": RUN, "key": begun,
        "token": "none", "part": "none", "code": "none", "line": f"{RUN}-0", "number": "1",
    }  # fmt: skip


def test_another_ones_account_method_and_payment_are_not_there(office, owned, neighbor):
    walked = 0
    for method, path in routes(office):
        if "{" not in path or path in {*NOBODYS, *THE_GATEWAYS}:
            continue
        theirs = re.sub(r"{(\w+)}", lambda place: owned[place[1]], path)
        nobodys = re.sub(r"{(account|method|key)}", "0000000", path)
        nobodys = re.sub(r"{(\w+)}", lambda place: owned[place[1]], nobodys)
        send = neighbor.get if method == "GET" else neighbor.post
        seen, absent = send(theirs), send(nobodys)
        assert seen.status_code == absent.status_code, (method, path)
        told = f"{seen.text}{seen.headers.get('location', '')}"
        assert TENANT not in told and "4242" not in told, (method, path)
        if "{account}" in path:
            assert 404 == seen.status_code, (method, path)
        walked += 1

    assert walked > 15


def test_a_landlord_is_told_who_ends_what_they_see_and_takes_nothing_off(landlord, books):
    """Rule 133: their own button would change nothing, so there is none."""
    asked = landlord.get(f"/accounts/{MINE}/unlink")

    pressed = landlord.post(f"/accounts/{MINE}/unlink")

    assert (200, 403) == (asked.status_code, pressed.status_code)
    assert "because you are its landlord" in asked.text and "Yes, take it off" not in asked.text
    with books.reading() as connection:
        assert [] == list(connection.scalars(sa.select(account_link.c.account_key)))
    assert MINE in landlord.get("/").text


def test_of_an_account_whose_only_close_was_taken_back_no_page_fails(office, owned, tenant, books):
    """Rule 3: in an open tab its pages stood a moment ago; now there is nothing of it."""
    with books.writing() as connection:
        connection.execute(balance_due.update().values(period=None, due_on=None))
        connection.execute(bill_run.update().values(state=RunState.REFUSED))

    for method, path in routes(office):
        if path.startswith("/accounts/{account}"):
            address = re.sub(r"{(\w+)}", lambda place: owned[place[1]], path)
            answer = (tenant.get if method == "GET" else tenant.post)(address)
            assert answer.status_code < 500, (method, path)
    assert 404 == tenant.get(f"/accounts/{MINE}/autopay").status_code
    assert 404 == tenant.get(f"/accounts/{MINE}/paperless").status_code


def test_each_address_that_takes_a_form_can_be_visited_too(office):
    """Whoever reloads the answer to a form, or goes back to it, asks for it (portal.js)."""
    ask = asking(office)
    sent = {
        route.path
        for route in desk_of(office).routes
        if isinstance(route, Route) and "POST" in route.methods and not MACHINES.match(route.path)
    }

    refused = {path for path in sent if 405 == ask("GET", re.sub(r"{\w+}", "1", path)).status_code}

    assert "/accounts/{account}/autopay" in sent
    assert LEADS_ELSEWHERE == refused
