"""The slides of the utility portal, as a customer goes through them, in their order."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_user
from database.feed.tables import customer_choice
from tests.scenarios.documents.city import (
    ANN,
    BO,
    ELM_KEY,
    FEES,
    FIR_KEY,
    LARA,
    OAK_KEY,
    PINE_KEY,
    WELCOME,
    YEW_KEY,
    words,
)
from tests.web.customers.conftest import PASSWORD, Browser
from tests.web.customers.test_cart_pages import follow

WHOLE = "the entire balance due"


def test_a_customer_creates_an_account_links_a_bill_and_is_offered_autopay(city):
    """Rules 139, 140, 123-125, 127, 67 and 43.

    The number needs no dashes, the last name no capitals; both the link and autopay can wait.
    """
    ann = Browser(city.desk)
    door = ann.get("/sign-in").text
    weak = ann.send("/register", email=ANN, password="short", again="short", phone="")
    ann.send("/register", email=ANN, password=PASSWORD, again=PASSWORD, phone="(303) 555-0100")
    early = ann.sign_in(ANN)
    verify = f"/verify/{city.newest_token()}"
    ann.get(verify)
    ann.post(verify)
    ann.sign_in(ANN)
    later = words(ann.get("/link"))
    linked = follow(ann, ann.post("/link", number="01 1037 1", proof="aBBott"))
    mine = words(ann.get("/account"))

    assert 'href="/register"' in door
    assert (422, True) == (weak.status_code, "12 characters" in weak.text)
    assert "/" != early.headers.get("location")  # not before the address is verified
    assert "Do this later" in later
    assert "Shall its bills be paid by themselves?" in words(linked)
    assert f'href="/accounts/{OAK_KEY}/autopay"' in linked.text and "Not now" in linked.text
    assert "Name and addresses are changed by the billing office: call them." in mine
    assert [("3035550100",)] == city.rows(
        sa.select(web_user.c.phone).where(web_user.c.mailbox == ANN)
    )


def test_the_home_page_welcomes_with_the_offices_own_words_and_leads_on(city):
    """Rules 36, 112, 179, 199, 200 and 205: its message points to paperless and to what is new."""
    page = city.customer(BO).get("/")

    assert WELCOME in words(page)
    assert "Welcome to Larkspur." in words(Browser(city.desk).get("/sign-in"))
    for path in ("/bills", "/usage", "/news", "/wallet", "/other", "/cart", "/link", "/account"):
        assert f'href="{path}"' in page.text, path


def test_what_is_due_is_the_closed_bill_less_what_was_paid(city):
    """Rules 3, 38-40 and 4."""
    page = words(city.customer(BO).get("/"))

    assert "Balance due $40.00 Due on November 20, 2026" in page
    assert "View bill" in page


def test_the_newest_bill_is_the_pdf_that_the_splitter_made(city):
    """Rules 4, 11 and 13; rule 12: an account without such a document has none to look at."""
    bo = city.customer(BO)
    pdf, none = (bo.get(f"/accounts/{key}/bill") for key in (ELM_KEY, PINE_KEY))

    assert b"%PDF-1.7 of Elm Street" == pdf.content
    assert 404 == none.status_code


def test_a_payment_shows_its_fee_once_the_method_is_known_and_a_cart_pays_several(city):
    """Rules 194 and 195."""
    bo = city.customer(BO)
    for key in (ELM_KEY, PINE_KEY):
        bo.get(f"/accounts/{key}/pay")
        bo.post(f"/accounts/{key}/pay", amount="10.00", act="cart")
    cart = follow(bo, bo.get("/cart"))
    check = follow(bo, bo.post("/cart", method="tok_bo"))

    assert "$20.00" in words(cart) and "$1.50" not in words(cart)
    assert "$1.50" in words(check) and "Pay $21.50 now" in words(check)


def test_going_paperless_tells_the_billing_system_to_send_no_paper(city):
    """Rules 31, 32 and 35: and it can be changed again."""
    bo, path = city.customer(BO), f"/accounts/{FIR_KEY}/paperless"
    bo.get(path)
    bo.post(path, choice="paper")
    bo.get(path)
    bo.post(path, choice="paperless")

    row = customer_choice.c
    told = city.rows(sa.select(row.field, row.value).where(row.account_key == FIR_KEY))
    assert {("ebill", "yes"), ("send_paper", "no")} <= set(told)


@pytest.mark.parametrize(
    ("day", "days", "sentence"),
    [
        ("2026-11-03", "5", f"We draw $80.00 on November 13, 2026: {WHOLE}."),  # rules 48, 49, 53
        ("2026-11-17", "5", f"We draw $80.00 today: {WHOLE}."),  # rule 54: the day has passed
        ("2026-11-18", "2", "The day on which it is drawn is today."),  # ruling 4
        ("2026-11-24", "5", f"We draw $80.00 today: {WHOLE}."),  # rules 51, 52, 55: after it
    ],
)
def test_autopay_says_before_the_yes_what_is_drawn_and_when(city, day, days, sentence):
    """Rules 48-55 and 71; without a method there is none (rule 70)."""
    bo, path = city.customer(BO, day), f"/accounts/{PINE_KEY}/autopay"
    asked = bo.get(path)
    (method, *_) = re.findall(r'name="method" id="method-(\w+)"', asked.text)
    offer = bo.post(path, days=days, maximum="", above="skip", method=method)

    assert FEES in words(asked)
    assert "maximum" in words(asked).lower()
    assert sentence in words(offer)


def test_another_way_to_pay_means_to_unenroll_and_enroll_again(city):
    """Rules 60, 61 and 69: what is scheduled stands there, and nothing of it can be edited."""
    page = city.customer(BO).get(f"/accounts/{ELM_KEY}/autopay")

    assert "We draw $40.00 on November 13, 2026." in words(page)
    assert "If you set autopay up again later, what is due by then may be drawn at once." in words(
        page
    )
    assert "Unenroll" in words(page) and "<select" not in page.text


def test_who_pays_the_office_directly_ends_that_first(city):
    """Rules 62 and 63: never twice for one bill."""
    page = words(city.customer(BO).get(f"/accounts/{FIR_KEY}/autopay"))

    assert "Ask the office to end direct pay, then set up autopay." in page


def test_the_wallet_takes_cards_checking_and_savings_accounts_at_the_providers_page(city):
    """Rules 68, 117, 120, 121 and 122: methods leave it with a yes."""
    bo = city.customer(BO)
    wallet = words(bo.get("/wallet"))
    bo.get("/wallet/add")
    page = words(follow(bo, bo.post("/wallet/add")))

    assert "They are yours alone" in wallet and "Remove" in wallet
    assert "Checking account" in page and "Savings account" in page and "Visa" in page


def test_an_account_is_taken_off_and_the_new_one_linked(city):
    """Rule 128: moving across town."""
    page = words(city.customer(BO).get(f"/accounts/{YEW_KEY}/unlink"))

    assert "05.5000.5" in page


def test_bills_and_payments_stand_by_line_with_payments_in_parentheses(city):
    """Rules 44 and 45: and an amount opens into its services."""
    bo = city.customer(BO)
    page = bo.get("/bills")
    opened = [bo.get(path) for path in re.findall(r'href="(/accounts/\w+/lines/[^"]+)"', page.text)]

    assert "Oct 31, 2026 02.2048.2 Water Import Readings 7.5 $40.00" in words(page)
    assert "UTILITY PAYMENTS ($30.86)" in words(page)
    assert opened and all(200 == one.status_code for one in opened)
    assert any("Water" in words(one) for one in opened)


def test_graphs_show_each_service_and_the_total_and_can_be_printed(city):
    """Rule 178."""
    page = city.customer(BO).get("/usage")

    assert 2 == page.text.count("<svg") and "Billed in total" in words(page)
    assert "Print Water" in words(page) and "Print Billed in total" in words(page)


def test_what_the_office_posts_is_read_and_printed(city):
    """Rules 104 and 107."""
    bo = city.customer(BO)
    news = bo.get("/news")
    (link,) = set(re.findall(r'href="(/communications/\d+)"', news.text))

    assert "Rates of 2027" in words(news)
    assert "application/pdf" == bo.get(link).headers["content-type"]


def test_a_guest_pays_by_department_and_type_and_gets_a_receipt(city):
    """Rules 190-193 and 196-198."""
    guest = Browser(city.desk)
    door = guest.get("/sign-in").text
    guest.get("/guest")
    offered = words(guest.get("/guest/other"))
    guest.get("/guest/other/copies")
    silent = guest.post("/guest/other/copies", payor="Gus")
    guest.get("/guest/other/shelter")
    follow(guest, guest.post("/guest/other/shelter", payor="Gus", amount="7"))
    sandbox = follow(guest, guest.post("/guest/cart", email="gus@home.example"))
    check = follow(guest, guest.post(sandbox.url.path, token="tok_ok"))
    paid = follow(guest, guest.post(f"{check.url.path}/confirm"))

    assert 'href="/guest"' in door
    assert "Parks Park shelter Clerk Copies" in offered and "At the desk" not in offered
    assert (422, True) == (silent.status_code, "comment" in words(silent).lower())
    assert "Pay $8.50 now" in words(check)
    assert "Your payment was received" in words(paid)


def test_a_landlord_sees_the_account_and_not_how_the_tenant_pays(city):
    """Rules 29, 117, 118 and 133-135."""
    lara = city.customer(LARA)
    page = words(lara.get("/"))

    assert "05.5000.5" in page and "02.2048.2" not in page
    assert "4242" not in words(lara.get("/wallet"))
    assert "4242" not in words(lara.get(f"/accounts/{YEW_KEY}/pay"))


def test_a_blocked_way_is_not_offered(city):
    """Rules 136-138: Eve's record says no cards."""
    page = words(city.customer(BO).get(f"/accounts/{YEW_KEY}/pay"))

    assert "Some of your cards or bank accounts cannot be used for this account." in page
    assert "Card ending" not in page
