"""Ways of paying that an account blocks (rule 136): the gateway's page does not offer them."""

from __future__ import annotations

import pytest

from database.tables import account
from tests.web.customers.conftest import Browser, register
from tests.web.customers.test_cart_pages import follow, guest_of, with_settings
from tests.web.customers.test_paying import PAY
from web.desk import desk_of


@pytest.mark.parametrize("by_guest", [False, True])
@pytest.mark.parametrize("blocked", ["card", "ach"])
def test_the_gateways_page_offers_no_way_that_an_account_blocks(office, blocked, by_guest):
    """Rule 136, before anybody has typed a number there."""
    city = with_settings(office)
    register(city, accounts=("0110371",))
    with city.database.writing() as books:
        books.execute(account.update().values({f"block_{blocked}": True}))
    browser, page = lead_to_gateway(city, by_guest)

    refused = browser.post(page.url.path, token={"card": "tok_ok", "ach": "tok_ach_ok"}[blocked])
    taken = browser.post(page.url.path, token={"card": "tok_ach_ok", "ach": "tok_ok"}[blocked])

    assert ("Visa ending" in page.text) == (blocked == "ach")
    assert ("Checking account ending" in page.text) == (blocked == "card")
    assert (422, 303) == (refused.status_code, taken.status_code)


@pytest.mark.parametrize("by_guest", [False, True])
def test_an_account_that_is_blocked_every_way_leads_to_no_gateway(office, by_guest):
    city = with_settings(office)
    register(city, accounts=("0110371",))
    with city.database.writing() as books:
        books.execute(account.update().values(block_card=True, block_ach=True))

    _, page = lead_to_gateway(city, by_guest)

    assert "neither by card nor from a bank account" in page.text
    assert 422 == page.status_code


def lead_to_gateway(city, by_guest):
    """Press all buttons until the gateway's page, or until a page that leads nowhere."""
    if by_guest:
        browser = guest_of(city)
        found = {"number": "01.1037.1", "proof": "Beltran"}
        follow(browser, browser.post("/guest", **found, amount="45.50"))
        return browser, follow(browser, browser.post("/guest/cart", email="g@home.example"))
    browser = Browser(desk_of(city))
    browser.sign_in()
    browser.get(PAY)
    return browser, follow(browser, browser.post(PAY, amount="45.50", method="new"))
