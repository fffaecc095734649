"""The tips for administrators, walked in their order."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_user
from database.feed.tables import customer_choice
from database.tables import account
from domain.identity import Role
from office.settings.money import RemindersSettings
from rules.mail.delivery import choose_recipients, is_paperless
from tests.mail.reminder_builders import DUE_MAIL, LATE_MAIL, queue
from tests.web.csr.conftest import ELM_KEY, OAK_KEY
from tests.web.csr.test_credentials import NEW, invitation, mails
from tests.web.customers.conftest import ANN, Browser

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


def test_the_records_addresses_get_the_bill_where_its_field_is_set():
    """Rules 21-23, 33 and 34: several addresses, each one of them, and nobody where it is not."""
    record = ["bo@example.com", "bea@example.com"]

    assert record == [one.address for one in choose_recipients(record, [], [])]
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


def test_a_wallet_is_its_users_own_and_a_method_leaves_it_with_a_yes(town, customer):
    """Rules 117, 119, 120 and 121: the card that autopay draws is kept until autopay ends."""
    ann = customer()
    wallet = ann.get("/wallet").text

    assert "4242" in wallet and "Remove" in wallet


def test_a_reset_that_did_not_arrive_is_looked_for_by_the_mailbox(csr, town):
    """Rule 152: how the address is written, what became of the mail, and where else to look."""
    csr.get(town.page)
    csr.post(f"{town.page}/mail")
    page = csr.get(f"{town.page}").text

    assert [("access-reset", ANN)] == mails(town)
    assert ANN in page
    assert "junk" in page.lower() or "spam" in page.lower()
