"""What the console shows of a customer, and their log (rules 37, 160, 166-169, 176)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import account_link, one_time_link
from database.tables import account, account_email, delivery
from domain.deliveries import DeliveryStatus, MessageKind
from domain.identity import LinkKind
from identity.activity import record_activity
from identity.new_address import ask_for_address, prove_by_link
from identity.users import find_by_mailbox
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from tests.builders import NOW
from tests.web.csr.conftest import ELM_KEY, OAK, OAK_KEY
from tests.web.customers.conftest import ANN


def fact(page: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]).strip() if found else ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Account number", OAK),
        ("Service address", "2172 Main St Apt 1"),
        ("Billing address", "PO Box 77"),
        ("District", "North"),
        ("Nickname", "the flat"),
        ("AutoPay", "On since Apr 9, 2026: "),
        ("Paperless billing", "On: bills come by e-mail"),
        ("Account settings", "Active"),
    ],
)
def test_rules_37_and_176_the_customer_at_a_glance(csr, town, name, said):
    with town.office.database.writing() as books:
        books.execute(account_link.update().values(nickname="the flat"))

    shown = fact(csr.get(town.page).text, name)

    assert shown.startswith(said.strip())
    assert not shown.endswith(",")  # of an address without a city


@pytest.mark.parametrize(
    ("ebill", "paper", "address", "said"),
    [
        (True, False, True, "On: bills come by e-mail"),
        (False, True, True, "Off: bills come on paper"),
        (True, True, True, "On, and paper bills besides"),
        (False, False, True, "Off: bills come on paper, as the record has neither"),
        (True, False, False, "On, but no mailbox is known: bills come on paper"),
        (True, True, False, "On, but no mailbox is known: bills come on paper"),
    ],
)
def test_rule_37_paperless_says_how_the_next_bill_comes(csr, town, ebill, paper, address, said):
    """As the close decides: paper for whoever is not paperless, or has no mailbox (contract 4)."""
    with town.office.database.writing() as books:
        books.execute(account.update().values(ebill=ebill, send_paper=paper))
        if not address:
            books.execute(account_email.delete())
            books.execute(account_link.delete())

    shown = fact(csr.get(f"/csr/accounts/{ELM_KEY}").text, "Paperless billing")

    assert shown.startswith(said)


def test_rule_37_autopay_says_what_it_draws_and_when(csr, town):
    said = fact(csr.get(town.page).text, "AutoPay")

    assert "4242" in said and "5 days" in said and "draws $80.00 on Nov 13, 2026" in said


def test_rule_160_the_dot_the_address_and_the_last_access(csr, town, customer):
    before = csr.get(town.page).text
    customer()  # signing in is enough
    after = csr.get(town.page).text

    assert '<span class="dot on"' in after and f"<h1>{ANN}</h1>" in after
    assert "Last portal access: never" in before
    assert "Last portal access: Nov 3, 2026, 09:00" in after


def test_an_account_without_a_portal_user_is_seen_too(csr, town):
    page = csr.get(f"/csr/accounts/{ELM_KEY}").text

    assert "Unenrolled: nobody is linked" in page and "bo@example.com" in page
    assert f"/csr/customers/{town.ann}" in csr.get(f"/csr/accounts/{OAK_KEY}").text


@pytest.mark.parametrize(
    "path", ["/csr/customers/99", "/csr/customers/99999999999", "/csr/accounts/x"]
)
def test_what_is_not_there_is_not_found(csr, path):
    assert 404 == csr.get(f"/csr/{path}").status_code


@pytest.fixture
def busy(town):
    """A portal in which 45 things happened before today, of three kinds, over four years."""
    with town.office.database.writing() as books:
        for day in range(45):
            kind = ("signed in", "paperless chosen", "password changed")[day % 3]
            record_activity(books, town.ann, kind, NOW - timedelta(days=33 * day), detail=f"n{day}")
    return town


def shown(page: str) -> list[str]:
    return re.findall(r'<td data-of="Details">(n\d+)</td>', page)


def test_rules_166_and_167_the_log_holds_everything_since_the_beginning(csr, busy):
    page = csr.get(f"{busy.page}/activity?view=all").text

    assert [f"n{day}" for day in range(45)] == shown(page)
    assert "Paginate</a>" in page and "Next</a>" not in page


def test_rule_168_only_the_checked_kinds_are_shown(csr, busy):
    path = f"{busy.page}/activity?filtered=1&kind=paperless+chosen&view=all"

    assert [f"n{day}" for day in range(1, 45, 3)] == shown(csr.get(path).text)
    assert [] == shown(csr.get(f"{busy.page}/activity?filtered=1").text)


def test_rule_169_pages_one_after_the_other_or_by_number(csr, busy):
    first = csr.get(f"{busy.page}/activity").text
    second = csr.get(f"{busy.page}/activity?page=2").text
    last = csr.get(f"{busy.page}/activity?page=99").text

    assert "Next</a>" in first and "View All</a>" in first and "Jump to page" in first
    assert 20 == len(shown(second)) and "Previous</a>" in second
    assert "Next</a>" not in last and set() == {*shown(first)} & {*shown(second)}
    assert 45 == len({*shown(first), *shown(second), *shown(last)})


def test_the_filter_is_kept_from_page_to_page(csr, busy):
    page = csr.get(f"{busy.page}/activity?filtered=1&kind=signed+in&kind=password+changed").text

    assert "filtered=1&amp;kind=password+changed&amp;kind=signed+in&amp;page=2" in page


def test_a_change_of_the_address_is_seen_asked_for_changed_and_with_its_day(csr, town):
    before = csr.get(town.page).text
    with town.office.database.writing() as books:
        user = find_by_mailbox(books, ANN)
        ask_for_address(
            books, town.office.link_tokens, user.number, "n@x.example", town.office.due_now()
        )
    asked = csr.get(town.page).text
    with town.office.database.writing() as books:
        key = books.scalar(
            sa.select(one_time_link.c.key).where(one_time_link.c.kind == LinkKind.NEW_ADDRESS)
        )
        prove_by_link(books, town.office.link_tokens.token(key), town.office.due_now())
    changed = csr.get(town.page).text

    assert "sign in with" not in before
    assert "to sign in with n@x.example; it has not been proved yet" in asked
    assert f"before it was {ANN}" in changed and "no payment method can be added" in changed
    assert "<h1>n@x.example</h1>" in changed


def test_the_console_shows_that_somebody_was_told_of_a_card_that_expires(csr, town):
    told = PlannedMessage(
        MessageKind.METHOD_EXPIRING,
        about="0123456789abcdef/2026-11",
        address=ANN,
        account=OAK,
        form=MessageKind.METHOD_EXPIRING.value,
        is_of_account=False,
    )
    with town.office.database.writing() as books:
        queue_messages(books, [told], now=NOW, message_domain="larkspur.example")
        books.execute(delivery.update().values(status=DeliveryStatus.SENT, sent_at=NOW))

    page = csr.get(town.page).text.partition('id="mails"')[2].partition("</section>")[0]

    assert "Payment method expiring" in page and "sent" in page
