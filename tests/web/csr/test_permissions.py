"""Each role against each page of the console: who is let in, and who is turned away."""

from __future__ import annotations

import pytest

from domain.identity import Role
from tests.web.csr.conftest import ELM_KEY, OAK_KEY
from tests.web.customers.conftest import PASSWORD, Browser
from web.csr.routes import PAGES, console_routes
from web.office.permissions import PERMISSIONS, Permission, may

LET_IN = {Role.CSR, Role.SUPERVISOR, Role.ADMIN}


def filled(path: str, town) -> str:
    account = OAK_KEY if "unlink" in path else ELM_KEY
    return path.replace("{number:int}", str(town.ann)).replace("{account}", account)


def test_every_route_of_the_console_needs_a_permission():
    guarded = {(method, path) for method, path, _page, _needed in PAGES}

    assert guarded == {
        (method, route.path) for route in console_routes() for method in route.methods - {"HEAD"}
    }


@pytest.mark.parametrize("role", Role)
def test_a_role_opens_its_pages_of_the_console_and_no_other(signed_in, town, role):
    browser = signed_in(role)

    for method, path, _page, needed in PAGES:
        address = filled(path, town)
        answer = browser.send(address) if method == "POST" else browser.get(address)
        refused = "Your role does not have this page</h1>" in answer.text
        assert may(role, needed) is not refused, (method, path, answer.status_code)


def test_the_console_is_for_customer_service_supervisors_and_administrators():
    let_in = {role for role in Role if Permission.CUSTOMER_SERVICE in PERMISSIONS[role]}

    assert LET_IN == let_in
    beyond = {Permission.DELETE_USERS, Permission.INVITE_MANY, Permission.LINK_ACCOUNTS}
    assert set() == beyond & PERMISSIONS[Role.CSR]


def test_without_a_session_every_page_asks_to_sign_in_and_comes_back(desk, town):
    browser = Browser(desk)

    for method, path, _page, _needed in PAGES:
        address = filled(path, town)
        answer = browser.send(address) if method == "POST" else browser.get(address)
        assert 303 == answer.status_code
        assert answer.headers["location"].startswith("/office/sign-in?next=/csr"), path


def test_a_post_without_the_sessions_token_does_nothing(csr, town):
    before = town.log()

    for method, path, _page, needed in PAGES:
        if method == "POST" and may(Role.CSR, needed):
            assert 403 == csr.send(filled(path, town)).status_code

    assert before == town.log()


def test_who_signs_in_for_the_console_comes_to_the_console(desk, member, town):
    browser = Browser(desk)
    mailbox = member(Role.CSR)

    asked = browser.get(town.page)
    browser.get(asked.headers["location"])
    answer = browser.post("/office/sign-in", email=mailbox, password=PASSWORD, next=town.page)

    assert town.page == answer.headers["location"]


def test_a_desk_that_serves_the_console_alone_lets_its_staff_in(office, member, town):
    from dataclasses import replace

    from web.desk import desk_of

    web = office.settings.web.model_copy(update={"serves": ("csr",)})
    alone = replace(office, settings=office.settings.model_copy(update={"web": web}))
    alone.__dict__["database"] = office.database
    browser = Browser(desk_of(alone))

    signed = browser.send("/office/sign-in", email=member(Role.CSR), password=PASSWORD)
    page = browser.get(town.page).text

    assert "/csr" == signed.headers["location"]
    assert "Impersonate</button>" not in page and "Payment Administration" not in page
    assert 404 == browser.get("/office/payments").status_code
