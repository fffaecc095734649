"""The tips for administrators, walked in their order."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from database.definitions.identity import one_time_link, web_user
from database.feed.tables import customer_choice
from database.tables import account
from domain.identity import Role
from mail.recipients.addresses import read_addresses
from office.settings.money import RemindersSettings
from rules.mail.delivery import is_paperless
from tests.builders import RUN
from tests.mail.reminder_builders import DUE_MAIL, LATE_MAIL, queue
from tests.scenarios.documents.pressing import press
from tests.web.csr.conftest import ELM, ELM_KEY, OAK_KEY
from tests.web.csr.test_credentials import NEW, invitation, mails
from tests.web.customers.conftest import ANN, Browser, register

BEFORE, AFTER = "2026-11-17T06:00", "2026-11-21T06:00"


@pytest.mark.parametrize(
    ("spared", "kind", "at", "owed"),
    [(False, DUE_MAIL, BEFORE, 4), (True, DUE_MAIL, BEFORE, 2), (True, LATE_MAIL, AFTER, 4)],
)
def test_the_switch_spares_autopay_customers_the_first_reminder_alone(town, spared, kind, at, owed):
    """Rules 95-97 and ruling 19: an option of the office, off until it is set.

    Two mailboxes belong to each of the two accounts.
    """
    database = town.office.database

    assert RemindersSettings().spare_autopay is False
    assert owed == queue(database, kind, at, spare_autopay=spared).owed


def test_the_records_addresses_get_the_bill_where_its_field_is_set(signed_in, town):
    """Rules 21-23, 33 and 34: several addresses, each one of them, and nobody where it is not."""
    clerk, database = signed_in(Role.CLERK), town.office.database
    seen = clerk.get(f"/office/customers/{ELM}").text
    with database.reading() as books:
        known = read_addresses(books, RUN).of(ELM_KEY, "")

    assert ["bo@example.com", "bea@example.com"] == [one.address for one in known]
    assert "bo@example.com" in seen and "bea@example.com" in seen
    assert is_paperless(ebill=True, portal_choices=[])
    assert not is_paperless(ebill=False, portal_choices=[])


def test_paperless_chosen_in_the_portal_sets_the_records_field(town, customer):
    """Rules 31, 32 and 35: both flags in one change told to the billing system."""
    ann, path = customer(), f"/accounts/{OAK_KEY}/paperless"
    database = town.office.database
    with database.writing() as books:
        books.execute(account.update().values(ebill=False, send_paper=True))
    offered = ann.get(path).text
    ann.post(path, choice="paperless")
    with database.reading() as books:
        row = customer_choice.c
        told = [tuple(one) for one in books.execute(sa.select(row.field, row.value))]

    assert "Go paperless" in offered
    assert {("ebill", "yes"), ("send_paper", "no")} == set(told)


def test_an_account_linked_for_a_trial_is_unlinked_by_its_user(signed_in, town, desk):
    """Rules 119, 129, 130 and 131: found by name or mailbox, asked once, off with a yes."""
    admin = signed_in(Role.ADMIN)
    admin.get(f"/csr/accounts/{ELM_KEY}")
    admin.post(f"/csr/accounts/{ELM_KEY}/link")
    Browser(desk).send(f"/invite/{invitation(town)}", password=NEW, again=NEW)
    mine = Browser(desk)
    mine.sign_in("admin@larkspur.example", NEW)
    seen = [mine.get(path).status_code for path in ("/", "/bills", "/usage", "/news", "/wallet")]
    with town.office.database.reading() as books:
        me = books.scalar(sa.select(web_user.c.number).where(web_user.c.number != town.ann))
    found = admin.get("/csr", params={"q": "admin@larkspur"}).text
    asked = admin.get(f"/csr/customers/{me}/unlink/{ELM_KEY}").text
    admin.post(f"/csr/customers/{me}/unlink/{ELM_KEY}")

    assert [200] * 5 == seen
    assert f"/csr/customers/{me}" in found
    assert "Yes, take it off</button>" in asked and ">No</a>" in asked
    assert "2172 Main St Apt 2" not in mine.get("/").text


def test_a_wallet_is_its_users_own_and_a_method_leaves_it_with_a_yes(town, customer, desk):
    """Rules 117, 119, 120 and 121: the card that autopay draws is kept until autopay ends."""
    ann = customer()
    methods = press(ann, ann.get("/wallet"), "Add a payment method")
    (button,) = re.findall(r'<button class="main">([^<]+)</button>', methods.text)
    filled = press(ann, methods, button, token="tok_ach_savings_ok")
    own, bound = (
        re.search(rf'{last4}</h2>.*?action="(/wallet/[^"]+/remove)"', filled.text, re.DOTALL)[1]
        for last4 in ("4321", "4242")
    )
    in_use, kept = ann.get(bound), ann.post(bound)
    asked = ann.get(own)
    emptied = press(ann, asked, "Yes, remove it")
    register(town.office, "neighbor@portal.example", accounts=(OAK_KEY,))
    neighbor = Browser(desk)
    neighbor.sign_in("neighbor@portal.example")

    assert "4242" in filled.text and "4321" in filled.text
    assert (409, False) == (kept.status_code, "Yes, remove it" in in_use.text)
    assert "Remove" in asked.text and 'href="/wallet">' in asked.text  # no, it stays
    assert "4242" in emptied.text and "4321" not in emptied.text
    assert "4242" not in neighbor.get("/wallet").text


def test_a_reset_that_did_not_arrive_is_looked_for_by_the_mailbox(csr, town):
    """Rule 152: how the address is written, what became of the mail, and where else to look."""
    csr.get(town.page)
    csr.post(f"{town.page}/mail")
    page = csr.get(f"{town.page}").text

    assert [("access-reset", ANN)] == mails(town)
    assert ANN in page
    assert "junk" in page.lower() or "spam" in page.lower()


def test_a_misspelled_address_is_registered_anew_with_its_proper_spelling(town, desk, csr):
    """Rule 152: customer service sees how it is written; the account is linked by the new one."""
    register(town.office, "bo@exmaple.com", accounts=(ELM_KEY,))
    wrong = csr.get("/csr", params={"q": "exmaple"}).text
    bo = Browser(desk)
    bo.send("/register", email="bo@example.com", password=NEW, again=NEW, phone="")
    with town.office.database.reading() as books:
        newest = one_time_link.select().order_by(one_time_link.c.made_at.desc())
        token = town.office.link_tokens.token(books.execute(newest).all()[0].key)
    bo.get(f"/verify/{token}")
    bo.post(f"/verify/{token}")
    bo.sign_in("bo@example.com", NEW)
    press(bo, bo.get("/link"), "Link account", number=ELM, proof="garcia lopez")

    assert "bo@exmaple.com" in wrong
    assert "2172 Main St Apt 2" in bo.get("/").text


def test_a_portal_whose_books_do_not_answer_says_so_in_red(town, desk, monkeypatch):
    """Rule 189: who signs in reads that the site is down for maintenance, not an error."""
    failure = OperationalError("SELECT 1", {}, Exception("the database is down"))
    monkeypatch.setattr(type(town.office.database), "reading", lambda _self: _raise(failure))

    answer = Browser(desk).get("/sign-in")

    assert 503 == answer.status_code
    assert "The site is down for maintenance" in answer.text


def _raise(failure: Exception) -> None:
    raise failure
