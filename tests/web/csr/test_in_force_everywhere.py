"""What the feed changed of a customer is what every list, page and look-up says from then on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from domain.feeds import ChangeField
from domain.identity import Role
from office.lookup.finding import find_accounts
from office.lookup.finding import to_row as found_row
from office.lookup.showing import show_account
from office.lookup.why.explaining import explain_account
from office.procedures.lists import select_list
from reporting.lists.catalog import LISTS
from tests.billing_system.feed.builders import tell_change
from tests.builders import NOW
from tests.web.csr.conftest import OAK, OAK_KEY

LATER = NOW + timedelta(hours=1)
NEW = {
    ChangeField.NAME: "ZELLER, ZOE",
    ChangeField.LAST_NAME: "ZELLER",
    ChangeField.EMAIL: "zoe.zeller@example.com",
    ChangeField.PHONE: "970-555-7777",
    ChangeField.MAILING_ADDRESS: "PO Box 99",
    ChangeField.CITY: "Newtown",
    ChangeField.STATE: "WY",
    ChangeField.ZIP: "82001",
}
OLD = re.compile(r"abbott|po box 77", re.IGNORECASE)
NO_PAGE = re.compile(r"/static/|sign-out|sort=|\.(csv|xlsx|png)")
MOST_PAGES = 150


def tell_all(town) -> None:
    for field, value in NEW.items():
        tell_change(town.office.database, field.value, value, LATER, key=OAK_KEY)


@pytest.fixture
def told(town):
    tell_all(town)
    return town


def stale(text: object) -> list[str]:
    return OLD.findall(str(text))


def pages_from(browser, first: str) -> Iterator[tuple[str, str]]:
    """Open a page and whatever it and its pages lead to, each kind of page a few times."""
    waiting, seen = [first], {first}
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        answer = browser.get(path)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        yield path, answer.text
        for link in re.findall(r'href="(/[^"#]*)"', answer.text):
            link = link.replace("&amp;", "&")
            if link not in seen and not re.search(
                r"/static/|sign-out|sort=|\.(csv|xlsx|png)", link
            ):
                seen.add(link)
                waiting.append(link)


def lists_that_are_stale(office) -> set[str]:
    with office.database.reading() as books:
        said = {what: books.execute(select_list(office, what)).all() for what in LISTS}
    return {what for what, rows in said.items() if stale([tuple(row) for row in rows])}


def test_every_list_says_what_is_in_force(town):
    before = lists_that_are_stale(town.office)
    tell_all(town)

    assert {"accounts", "customers", "portal-links", "enrollments"} <= before
    assert set() == lists_that_are_stale(town.office)


def test_find_show_and_why_say_what_is_in_force(told):
    with told.office.database.reading() as books:
        (found,) = map(found_row, find_accounts(books, OAK).accounts)
    shown = show_account(told.office, OAK)

    assert [] == stale(found) + stale(shown) + stale(explain_account(told.office, OAK))
    for row in (found, shown.about):
        said = {name: row.get(field) for field, name in ((f.value, f) for f in NEW) if field in row}
        assert {name: NEW[name] for name in said} == said and len(said) > 2


@pytest.mark.parametrize("first", ["/csr?q=", f"/csr/accounts/{OAK_KEY}", "/office"])
def test_every_page_of_staff_says_what_is_in_force(told, signed_in, first):
    browser = signed_in(Role.CSR if first.startswith("/csr") else Role.SUPERVISOR)

    said = {path: stale(text) for path, text in pages_from(browser, first)}

    assert len(said) > 5
    assert {} == {path: found for path, found in said.items() if found}


def test_every_page_of_the_customer_says_what_is_in_force(told, customer):
    said = dict(pages_from(customer(), "/"))

    assert len(said) > 10
    assert {} == {path: stale(text) for path, text in said.items() if stale(text)}
    assert "PO Box 99, Newtown, WY, 82001" in said["/account"]
