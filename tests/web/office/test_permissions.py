"""Each role against each page: who is let in, who is turned away, who is asked to sign in."""

from __future__ import annotations

import re
import shutil

import pytest

from database.books import Database
from domain.identity import Role
from office.secrets.files import make_secret
from tests.office.health_builders import an_office_at
from tests.web.customers.conftest import Browser
from tests.web.office.conftest import TRIAL
from web.desk import desk_of
from web.office.layout import NAVIGATION
from web.office.pages import groups
from web.office.permissions import PERMISSIONS, Permission, may
from web.staff_routes import (
    HALF_SIGNED_IN,
    OPEN,
    STREAMED,
    UPLOADED,
    office_routes,
    staff_access_routes,
    staff_pages,
)

PAGES = [
    *((method, path, needed) for method, path, _page, needed in staff_pages()),
    *(("GET", path, needed) for path, needed, _send in STREAMED),
]


def test_every_route_of_the_office_needs_a_permission_or_is_named_as_open():
    guarded = {(method, path) for method, path, _needed in PAGES}
    open_ones = {(method, path) for method, path, _page in (*OPEN, *HALF_SIGNED_IN)}
    served = {
        (method, route.path)
        for route in (*staff_access_routes(), *office_routes())
        for method in route.methods - {"HEAD"}
    }

    assert guarded | open_ones | {("POST", path) for path, *_ in UPLOADED} == served
    assert {"/office/sign-in", "/office/password/{token}", "/office/code", "/office/sign-out"} == {
        path for _method, path in open_ones
    }


POSTS = re.compile(r'<form(?=[^>]*method="post")[^>]*action="([^"]*)"')
# Whoever only looks signs out, chooses a language, and takes the pack of an audit, which is noted.
HARMLESS = {"/office/sign-out", "/office/language", "/office/audit/pack"}


@pytest.mark.parametrize("role", Role)
def test_a_role_opens_its_pages_and_no_other(signed_in, role):
    browser = signed_in(role)

    for method, path, needed in PAGES:
        answer = browser.send(filled(path)) if method == "POST" else browser.get(filled(path))
        refused = "Your role does not have this page</h1>" in answer.text
        assert may(role, needed) is not refused, (method, path, answer.status_code)
        if refused:
            assert 403 == answer.status_code
            assert f"You are signed in as {role}." in answer.text
        elif role is Role.AUDITOR:
            assert HARMLESS >= set(POSTS.findall(answer.text)), path


@pytest.fixture(scope="module")
def closed_desk(empty_sqlite, tmp_path_factory):
    """A desk for all who are not let in: whoever has no session changes nothing."""
    home = tmp_path_factory.mktemp("closed")
    make_secret(home)
    shutil.copy(empty_sqlite, home / "billclose.db")
    books = Database(f"sqlite:///{home / 'billclose.db'}")
    yield desk_of(an_office_at(home, books, "2026-11-03T09:00", web=TRIAL))
    books.close()


@pytest.mark.parametrize(("method", "path", "_needed"), PAGES)
def test_without_a_session_every_page_asks_to_sign_in(closed_desk, method, path, _needed):
    browser = Browser(closed_desk)

    answer = browser.send(filled(path)) if method == "POST" else browser.get(filled(path))

    assert 303 == answer.status_code
    assert answer.headers["location"].startswith("/office/sign-in?next=/office")


def test_a_customers_session_opens_nothing_of_the_office(desk, signed_in):
    browser = signed_in(Role.CLERK)
    browser.cookies = type(browser.cookies)({"__Host-portal": browser.cookies.get("__Host-office")})

    assert 303 == browser.get("/office").status_code


def test_who_may_only_look_changes_nothing_and_approves_nothing():
    changes = {Permission.CLOSE, Permission.APPROVE, Permission.RETRY}

    assert set() == changes & (PERMISSIONS[Role.AUDITOR] | PERMISSIONS[Role.CSR])
    assert Permission.APPROVE not in PERMISSIONS[Role.CLERK]
    assert set(Role) == set(PERMISSIONS)


def test_the_navigation_has_the_names_of_the_contract(signed_in):
    page = signed_in(Role.CLERK).get("/office").text

    names = ["Close", "Exceptions", "Payments", "Autopay", "Customers", "Communications", "Emails"]
    names += ["Deposits", "Settings"]
    assert names == [name for name in names if f">{name}</a>" in page]


def test_every_group_of_lists_is_reached_from_the_navigation():
    menus = {path for path, _name, _needed in NAVIGATION}

    unreached = {
        name
        for name, pages in groups().items()
        if not menus & {path for path, _tab, _needed in pages}
    }

    assert set() == unreached


def filled(path: str) -> str:
    return (
        path.replace("{account}", "01.1001.1")
        .replace("{period}", "2026-10")
        .replace("{sha256}", "0" * 64)
        .replace("{number}", "1")
        .replace("{kind}", "close-waits")
    )
