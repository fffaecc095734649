"""What waits in the outbox follows the account's mailboxes: no bill to one that it has no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from command_line.commands import texts as commands
from database.definitions.identity import one_time_link, web_user
from database.definitions.texts import text_message
from database.tables import (
    account_email,
    bill,
    delivery,
    delivery_plan,
    outsorted_bill,
    paper,
    suppressed_address,
)
from domain.customer_service import StaffAct
from domain.deliveries import DeliveryStatus, MessageKind, PaperReason, RecipientSource
from domain.identity import LinkKind, UserState
from identity.account_links import unlink_account
from identity.customer_service.landlords import LandlordAct, end_landlord
from identity.customer_service.locking import delete_user
from identity.new_address import ask_for_address, prove_by_link, stop_address
from identity.tokens import LinkTokens
from identity.users import find_by_mailbox, make_user
from mail.notices.following import FollowTerms, follow_addresses
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_bills, queue_messages
from mail.recipients.delivery_plan import PlanTerms, plan_deliveries
from mail.texts.consents import agree
from office.procedures.mailing.due_mail import send_what_is_due
from tests.billing_system.feed.builders import tell_change
from tests.builders import a_hold, a_household, close_run, stage_run
from tests.mail.builders import NOW, RUN, a_run, an_account
from tests.office.health_builders import an_office_at

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


ANN, LORD, MOVED = "ann@portal.example", "lord@portal.example", "moved@portal.example"
USERS = {"user": ANN, "landlord": LORD}
TOKENS = LinkTokens(b"s" * 32)


@pytest.fixture
def shared(database):
    """A bill that waits for the record's mailbox, a portal user's and a landlord's."""
    links = ((ANN, True),)
    house = a_household(NUMBER, email=OLD, links=links, mandates=(), cosigner_id="L1")
    stage_run(database, house, landlords=[("L1", LORD)])
    close_run(database)
    plan_deliveries(database, RUN, PlanTerms())
    one = {"period": RUN, "form": "utility-bill", "ordinal": 1, "account_key": KEY}
    rest = {"account": NUMBER, "bulk": 0, "first_page": 0, "pages": 1, "pdf": "a.pdf"}
    with database.writing() as books:
        books.execute(bill.insert().values(**one, **rest, sha256="0" * 64, size=1))
    with database.writing() as books:
        for one in USERS.values():
            make_user(books, one, NOW, UserState.ACTIVE)
    queue_bills(database, RUN, now=NOW, message_domain=DOMAIN)
    return database


def user_of(books, mailbox):
    return find_by_mailbox(books, mailbox).number


def unlinks(books, mailbox):
    user = user_of(books, mailbox)
    unlink_account(books, user, KEY, LATER, "the customer")
    end_landlord(books, user, "L1", LandlordAct("admin 1", LATER, "sold"))


def deletes(books, mailbox):
    delete_user(books, user_of(books, mailbox), StaffAct("csr 1", "moved away"), LATER)


def moves(books, mailbox) -> dict[LinkKind, str]:
    user, row = user_of(books, mailbox), one_time_link.c
    ask_for_address(books, TOKENS, user, MOVED, LATER)
    links = books.execute(sa.select(row.kind, row.key).where(row.user_number == user)).all()
    tokens = {kind: TOKENS.token(key) for kind, key in links}
    assert prove_by_link(books, tokens[LinkKind.NEW_ADDRESS], LATER)
    return tokens


@pytest.mark.parametrize("who", USERS)
@pytest.mark.parametrize(("act", "instead"), [(unlinks, []), (deletes, []), (moves, [MOVED])])
@pytest.mark.parametrize("kind", [MessageKind.BILL, MessageKind.PAST_DUE])
def test_whoever_is_no_more_of_an_account_gets_nothing_of_it(shared, who, act, instead, kind):
    about = RUN if kind is MessageKind.BILL else "2026-11-20"
    sources = (RecipientSource.CUSTOMER_RECORD, *USER_SOURCES.values())
    messages = [
        PlannedMessage(kind, about, address, source, NUMBER, RUN, form="utility-bill")
        for address, source in zip((OLD, ANN, LORD), sources, strict=True)
    ]
    with shared.writing() as books:
        queue_messages(books, messages, now=NOW, message_domain=DOMAIN)
        act(books, USERS[who])

    follow_addresses(shared, TERMS)

    stay = [one for one in USERS.values() if one != USERS[who]]
    assert sorted([OLD, *stay, *instead]) == mails(shared, kind)


USER_SOURCES = {"user": RecipientSource.PORTAL_USER, "landlord": RecipientSource.LANDLORD}


@pytest.mark.parametrize("who", USERS)
def test_what_went_over_to_an_address_that_was_stopped_comes_back(shared, who):
    with shared.writing() as books:
        tokens = moves(books, USERS[who])
    follow_addresses(shared, TERMS)
    assert MOVED in mails(shared)
    with shared.writing() as books:
        assert stop_address(books, TOKENS, tokens[LinkKind.STOP_ADDRESS], LATER)

    follow_addresses(shared, TERMS)

    assert sorted([OLD, ANN, LORD]) == mails(shared)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (MessageKind.RECEIPT, [NEW]),
        (MessageKind.AUTOPAY_FAILED, [NEW]),
        (MessageKind.AUTOPAY_SCHEDULED, [NEW]),
        (MessageKind.PAST_DUE, [LORD, NEW]),
        (MessageKind.ARRANGEMENT, [LORD, NEW]),
    ],
)
def test_a_notice_goes_to_a_landlord_only_where_the_office_wants_it(shared, kind, expected):
    source = RecipientSource.CUSTOMER_RECORD
    message = PlannedMessage(kind, "return/7", OLD, source, NUMBER, RUN, form=str(kind))
    with shared.writing() as books:
        queue_messages(books, [message], now=NOW, message_domain=DOMAIN)
    tell_change(shared, "email", NEW, LATER, key=KEY)

    follow_addresses(shared, replace(TERMS, plan=PlanTerms(to_landlords=False)))

    assert [ANN, *expected] == mails(shared, kind)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (MessageKind.BILL, OLD),  # planned anew when it is released
        (MessageKind.PAST_DUE, OLD),  # not sent meanwhile
        (MessageKind.AUTOPAY_FAILED, NEW),
        (MessageKind.RECEIPT, NEW),
        (MessageKind.ARRANGEMENT, NEW),
    ],
)
def test_what_is_sent_while_a_bill_is_held_back_follows_too(waiting, kind, expected):
    source = RecipientSource.CUSTOMER_RECORD
    message = PlannedMessage(kind, "return/7", OLD, source, NUMBER, RUN, form=str(kind))
    with waiting.writing() as books:
        queue_messages(books, [message], now=NOW, message_domain=DOMAIN)
        ours = {"period": RUN, "account_key": KEY, "account": NUMBER}
        books.execute(outsorted_bill.insert().values(**a_hold(**ours)))
    tell_change(waiting, "email", NEW, LATER, key=KEY)

    follow_addresses(waiting, TERMS)

    assert expected in mails(waiting, kind)


def test_a_mail_for_which_its_mailbox_is_suppressed_stays_as_the_proof(waiting):
    with waiting.writing() as books:
        key = books.scalar(sa.select(delivery.c.key).where(delivery.c.account_key == KEY))
        for mailbox, proof in ((OLD, key), ("typed@x.example", None)):
            row = {"mailbox": mailbox, "since": NOW, "reason": "bounced", "delivery_key": proof}
            books.execute(suppressed_address.insert().values(**row))
    tell_change(waiting, "email", NEW, LATER, key=KEY)

    assert 0 == follow_addresses(waiting, TERMS)


PHONE, RUNGS = "+14355550142", "2026-11-20"


@pytest.fixture
def texted(shared):
    """A reminder of that account that waits for the morning, as a text for its portal user."""
    messages = [
        PlannedMessage(MessageKind.PAST_DUE, RUNGS, address, source, NUMBER, RUN, form="past-due")
        for address, source in zip((OLD, ANN, LORD), RecipientSource, strict=True)
    ]
    with shared.writing() as books:
        user = user_of(books, ANN)
        books.execute(web_user.update().values(phone=PHONE[2:]).where(web_user.c.number == user))
        agree(books, user, PHONE, "I agree.", NOW)
        queue_messages(books, messages, now=NOW, message_domain=DOMAIN)
    assert [ANN] == texts(shared)
    return shared


def texts(database) -> list[str]:
    with database.reading() as books:
        return list(books.scalars(sa.select(text_message.c.address)))


@pytest.mark.parametrize(
    ("act", "expected"), [(unlinks, []), (deletes, []), (moves, [MOVED]), (None, [ANN])]
)
def test_a_text_that_waits_for_the_morning_follows_too(texted, act, expected):
    if act:
        with texted.writing() as books:
            act(books, ANN)

    follow_addresses(texted, TERMS)

    assert expected == texts(texted)
    assert [OLD, LORD] == mails(texted, MessageKind.PAST_DUE)


def test_a_text_that_strayed_is_a_mail_to_whoever_came(texted):
    with texted.writing() as books:
        books.execute(text_message.update().values(source=RecipientSource.CUSTOMER_RECORD))
        unlinks(books, ANN)
    tell_change(texted, "email", NEW, LATER, key=KEY)

    assert 4 == follow_addresses(texted, TERMS)

    assert [] == texts(texted)
    assert sorted([NEW, LORD]) == mails(texted, MessageKind.PAST_DUE)


def test_a_text_that_may_have_left_stays(texted):
    with texted.writing() as books:
        books.execute(text_message.update().values(possible_duplicate=True))
        unlinks(books, ANN)

    follow_addresses(texted, TERMS)

    assert [ANN] == texts(texted)


def by_due_mail(office) -> None:
    send_what_is_due(office, office.due_now, lambda _counts: None)


def by_command(office) -> None:
    told = CliRunner().invoke(commands.texts, ["send"], obj=office.home, standalone_mode=False)
    assert told.exception is None, told.output


@pytest.mark.parametrize("send", [by_due_mail, by_command])
def test_whatever_sends_a_text_looks_first_whose_it_is(texted, tmp_path, monkeypatch, send):
    with texted.writing() as books:
        unlinks(books, ANN)
    office = an_office_at(tmp_path, texted, "2026-11-24T12:00")
    monkeypatch.setattr(commands, "open_office", lambda _home, _as_of: office)

    send(office)

    assert [] == texts(texted)
