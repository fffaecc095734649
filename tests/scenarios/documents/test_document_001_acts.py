"""The slides of the utility portal once more: what is done on its pages, pressed to the end."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_user
from database.tables import delivery
from domain.identity import Role
from mail.letters.samples import sample_pdf
from tests.scenarios.documents.city import (
    ASH,
    BO,
    ELM,
    GUM,
    LARA,
    OAK_KEY,
    PINE,
    PINE_KEY,
    YEW_KEY,
    words,
)
from tests.scenarios.documents.pressing import press
from tests.web.customers.conftest import Browser, register
from tests.web.office.deciding_builders import decide_link

ADD = "/office/communications/add"


def test_a_customer_pays_sees_the_confirmation_and_gets_a_receipt(city):
    """Rules 51, 185, 194 and 196: the fee shows when the method is known, never before."""
    bo = city.customer(BO)
    check = press(
        bo, bo.get(f"/accounts/{PINE_KEY}/pay"), "Continue", amount="10.00", method="tok_bo"
    )
    done = press(bo, check, "Pay $11.50 now")

    assert "Thank you. Your payment was received." in words(done)
    assert "Service fee $1.50" in words(done) and "Confirmation" in words(done)
    mails = city.rows(sa.select(delivery.c.address).where(delivery.c.kind == "receipt"))
    assert (BO,) in mails


def test_a_customer_schedules_autopay_with_a_maximum_verifies_it_and_unenrolls(city):
    """Rules 48-50, 53, 60, 61 and 69."""
    bo, path = city.customer(BO), f"/accounts/{PINE_KEY}/autopay"
    offer = press(bo, bo.get(path), "Continue", days="5", maximum="100.00")
    press(bo, offer, "Schedule autopay")
    verified = bo.get(path)
    ended = press(bo, verified, "Unenroll")

    assert "on November 13, 2026" in words(offer) and "$100.00" in words(offer)
    assert "on November 13, 2026" in words(verified)
    assert "Unenroll" not in words(bo.get(path)), words(ended)


def test_who_moves_across_town_takes_the_old_account_off_and_links_the_new_one(city):
    """Rules 123-125, 127 and 128."""
    bo = city.customer(BO)
    press(bo, bo.get(f"/accounts/{YEW_KEY}/unlink"), "Yes, take it off")
    without = words(bo.get("/"))
    press(bo, bo.get("/link"), "Link account", number="01-1037-1", proof="aBBOTT")
    after = words(bo.get("/"))

    assert "05.5000.5" not in without and "01.1037.1" not in without
    assert "01.1037.1" in after


def test_both_mailboxes_of_an_account_get_the_bill_when_one_goes_paperless(city):
    """Rules 25, 26 and 28: whoever chooses is told how many others get it."""
    for address in ("bea@portal.example", "cal@portal.example"):
        register(city.office, address, accounts=(OAK_KEY,))
    bea, cal = (city.customer(f"{name}@portal.example") for name in ("bea", "cal"))
    path = f"/accounts/{OAK_KEY}/paperless"
    page = bea.get(path)
    done = press(bea, page, "Go paperless")

    assert "On paper." in words(page) and "mailboxes of this account get them too" in words(page)
    assert "By e-mail, without paper." in words(done)
    assert "By e-mail, without paper." in words(cal.get(path))


def test_a_wallet_is_filled_and_emptied_and_a_phone_is_kept_and_taken_off(city):
    """Rules 68, 103, 120 and 121: each method leaves with a yes."""
    register(city.office, "wes@portal.example", accounts=(OAK_KEY,))
    wes = city.customer("wes@portal.example")
    methods = press(wes, wes.get("/wallet"), "Add a payment method")
    (button,) = re.findall(r'<button class="main">([^<]+)</button>', methods.text)
    filled = press(wes, methods, button, token="tok_ach_savings_ok")
    asked = press(wes, filled, "Remove")
    emptied = press(wes, asked, "Yes, remove it")
    press(wes, wes.get("/account"), "Save phone number", phone="303 555 0123")
    mine = sa.select(web_user.c.phone).where(web_user.c.mailbox == "wes@portal.example")
    kept = city.rows(mine)
    press(wes, wes.get("/account"), "Save phone number", phone="")

    assert "4321" in words(filled)
    assert "There is no payment method yet." in words(emptied)
    assert ([("3035550123",)], [("",)]) == (kept, city.rows(mine))


def test_an_admin_links_a_registered_user_to_a_landlord_and_ends_it(city):
    """Rules 133-135: all accounts of the landlord, and nothing of the tenants' wallets."""
    register(city.office, "ned@portal.example")
    admin = city.staff(Role.ADMIN)
    page = admin.get("/office/landlords/link")
    linked = press(
        admin, page, "Link", landlord="L1", address="ned@portal.example", reason="owns it"
    )
    ned = city.customer("ned@portal.example")

    assert "ned@portal.example" in words(linked) and LARA in words(linked)
    assert "05.5000.5" in words(ned.get("/"))
    assert "4242" not in words(ned.get(f"/accounts/{YEW_KEY}/pay"))


def test_a_clerk_enrolls_a_customer_to_the_end(city):
    """Rules 64-66: account, payer, days and maximum, what happens, how they agreed."""
    clerk = city.staff(Role.CLERK)
    page = press(clerk, clerk.get("/office/autopay/enroll"), "Continue", account=GUM, address=BO)
    if "Days prior to due date" not in words(page):
        page = press(clerk, page, "Continue", payer=BO)
    offer = press(clerk, page, "Show what would happen", days="3", maximum="90.00")
    done = press(clerk, offer, "The customer agrees: schedule autopay", reason="on the telephone")
    listed = words(clerk.get("/office/autopay"))

    assert "November 17, 2026" in words(offer)
    assert 200 == done.status_code and GUM in listed


def test_a_communication_is_posted_seen_by_customers_and_removed(city):
    """Rules 104-106 and 108: with its description and its last day."""
    clerk = city.staff(Role.CLERK)
    form = clerk.get(ADD)
    posted = clerk.ask_with_files(
        ADD,
        {"csrf": clerk.token, "title": "Leaf pick-up", "expires": "2026-12-31"},
        {"file": ("leaves.pdf", sample_pdf() + b"% leaves\n", "application/pdf")},
    )
    assert 303 == posted.status_code, words(posted)
    seen = words(city.customer(BO).get("/news"))
    late = words(city.customer(BO, "2027-01-04").get("/news"))
    listed = clerk.get("/office/communications")
    link = decide_link(listed.text, "Leaf pick-up")
    removing = clerk.get(link.replace("/change?", "/remove?"))
    press(clerk, removing, "Remove", reason="wrong month")

    assert 'name="expires"' in form.text
    assert "Leaf pick-up" in seen and "Leaf pick-up" not in late
    assert "Leaf pick-up" not in words(city.customer(BO).get("/news"))


def test_a_mail_to_many_is_looked_at_and_counted_before_it_is_sent(city):
    """Rules 109 and 110: all portal users, all customers, or one alone."""
    admin = city.staff(Role.ADMIN)
    page = admin.get("/office/communications/write")
    body = "Dear customer,\n\nwater is off on Friday."
    looked = press(admin, page, "Look and count", subject="No water", body=body)
    one = press(
        admin,
        admin.get("/office/communications/write"),
        "Look and count",
        subject="No water",
        body=body,
        audience="accounts",
        values=ELM,
    )

    assert "water is off on Friday." in words(looked) and "mailboxes" in words(looked)
    assert "1 mailbox" in words(one), words(one)


def test_retry_now_posts_and_charges_nobody(city):
    """Rules 84-87: the page is blank before and after."""
    clerk = city.staff(Role.CLERK)
    before = city.rows(sa.text("SELECT count(*) FROM draw"))
    answer = press(clerk, clerk.get("/office/payments/pending"), "Retry now")

    assert 200 == answer.status_code
    assert before == city.rows(sa.text("SELECT count(*) FROM draw"))
    assert "Nothing is pending." in words(clerk.get("/office/payments/pending"))


@pytest.mark.parametrize(
    ("column", "typed", "shown"),
    [
        ("account", ELM, True),
        ("name", "bole", True),
        ("period", "2026-10", True),
        ("pay_date", "2026-11-13", True),
        ("method", "card", True),
        ("last4", "4242", True),
        ("status", "Pending", True),
        ("account", ASH, False),
        ("last4", "9999", False),
        ("status", "declined", False),
    ],
)
def test_scheduled_payments_are_narrowed_by_each_column(city, column, typed, shown):
    """Rule 76: a customer, a payment, an error."""
    page = city.staff(Role.CLERK).get("/office/payments", params={column: typed})

    assert shown is (ELM in words(page))


def test_an_administrator_takes_an_account_off_a_portal_user(city):
    """Rules 129 and 132: found in the list of portal users, asked once."""
    person = register(city.office, "gil@portal.example", accounts=("0770007",))
    admin = city.staff(Role.ADMIN)
    listed = words(admin.get("/office/portal-users", params={"portal_user": "gil@"}))
    asked = admin.get(f"/csr/customers/{person}/unlink/0770007")
    press(admin, asked, "Yes, take it off")
    gil = Browser(city.desk)
    gil.sign_in("gil@portal.example")

    assert GUM in listed
    assert "Yes, take it off" in words(asked) and "No" in words(asked)
    assert GUM not in words(gil.get("/"))
    assert PINE not in words(gil.get("/"))
