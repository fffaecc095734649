"""What waits in the outbox follows the account's mailboxes: no bill to one that it has no more."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.tables import account_email, delivery, delivery_plan, paper
from domain.deliveries import DeliveryStatus, MessageKind, PaperReason, RecipientSource
from mail.notices.following import FollowTerms, follow_addresses
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_bills, queue_messages
from mail.recipients.delivery_plan import PlanTerms
from tests.billing_system.feed.builders import tell_change
from tests.mail.builders import NOW, RUN, a_run, an_account

NUMBER, KEY, OLD, NEW = "01.1037.1", "0110371", "ann@customer.example", "new@customer.example"
LATER = NOW + timedelta(hours=3)
DOMAIN = "larkspur.example"
TERMS = FollowTerms(LATER, "office", DOMAIN, PlanTerms())


@pytest.fixture
def waiting(database):
    """A bill of each of two accounts that no server has taken yet."""
    a_run(database)
    an_account(database, NUMBER)
    an_account(database, "01.1074.2", ["bo@customer.example"])
    with database.writing() as books:
        for key, address in ((KEY, OLD), ("0110742", "bo@customer.example")):
            one = {"period": RUN, "account_key": key, "position": 0, "address": address}
            books.execute(account_email.insert().values(**one))
    queue_bills(database, RUN, now=NOW, message_domain=DOMAIN)
    return database


def mails(database, kind=MessageKind.BILL) -> list[str]:
    with database.reading() as books:
        query = sa.select(delivery.c.address).where(delivery.c.kind == kind)
        return sorted(books.scalars(query))


def stands(database, **values) -> None:
    with database.writing() as books:
        books.execute(delivery.update().where(delivery.c.account_key == KEY).values(**values))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (NEW, [NEW]),
        (f"{OLD.upper()};{NEW}", [OLD]),  # nobody is left out who was to have it, nor told anew
        ("", []),
        ("no address", []),
    ],
)
def test_a_bill_that_waits_goes_to_the_mailboxes_of_now(waiting, told, expected):
    tell_change(waiting, "email", told, LATER, key=KEY)

    taken = follow_addresses(waiting, TERMS)

    assert sorted([*expected, "bo@customer.example"]) == mails(waiting)
    assert taken == (expected != [OLD])
    assert 0 == follow_addresses(waiting, TERMS)
    with waiting.reading() as books:
        printed = books.execute(sa.select(paper.c.account_key, paper.c.reason)).all()
    assert ([] if expected else [(KEY, PaperReason.NO_VALID_EMAIL)]) == printed


def test_a_bill_that_waits_goes_on_paper_where_the_plan_now_says_so(waiting):
    tell_change(waiting, "email", NEW, LATER, key=KEY)
    tell_change(waiting, "ebill", "no", LATER, key=KEY)

    follow_addresses(waiting, TERMS)

    assert ["bo@customer.example"] == mails(waiting)
    with waiting.reading() as books:
        assert [PaperReason.NO_EBILL] == books.scalars(sa.select(paper.c.reason)).all()
        plan = sa.select(delivery_plan.c.paperless).where(delivery_plan.c.account_key == KEY)
        assert not books.scalar(plan)


@pytest.mark.parametrize(
    "values",
    [
        {"status": DeliveryStatus.SENT},
        {"status": DeliveryStatus.IN_DOUBT},
        {"possible_duplicate": True},
    ],
)
def test_what_left_or_may_have_left_stays(waiting, values):
    stands(waiting, **values)
    tell_change(waiting, "email", NEW, LATER, key=KEY)

    assert 0 == follow_addresses(waiting, TERMS)
    assert sorted([OLD, "bo@customer.example"]) == mails(waiting)


@pytest.mark.parametrize(
    ("kind", "about", "expected"),
    [
        (MessageKind.PAYMENT_DUE, "2026-11-20", [NEW]),
        (MessageKind.AUTOPAY_FAILED, "autopay/2026-10/0110371/1", [NEW]),
        (MessageKind.RECEIPT, "checkout/7", [OLD]),  # of a payment by hand: who paid hears of it
    ],
)
def test_the_other_mails_of_an_account_follow_too(waiting, kind, about, expected):
    source = RecipientSource.CUSTOMER_RECORD
    message = PlannedMessage(kind, about, OLD, source, NUMBER, RUN, form=str(kind))
    with waiting.writing() as books:
        queue_messages(books, [message], now=NOW, message_domain=DOMAIN)
    tell_change(waiting, "email", NEW, LATER, key=KEY)

    follow_addresses(waiting, TERMS)

    assert expected == mails(waiting, kind)
