"""Who gets a text in the place of a mail, and what ends it (rule 103)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_user
from database.definitions.texts import text_consent, text_message
from domain.deliveries import DeliveryStatus, MessageKind
from domain.identity import LinkProof, UserState
from identity.account_links import add_link
from identity.users import make_user
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from mail.outbox.withdrawing import withdraw_bill_mails
from mail.reminders.queueing import withdraw_reminders
from mail.texts.consents import agree, start_phone, stop_phone, take_back
from mail.texts.readers import reader_of
from tests.builders import NOW, a_household, close_run, stage_run
from tests.mail.reminder_builders import DUE_MAIL, LATE_MAIL, mails, pay, queue, terms

ELM, KEY, PHONE = "01.1037.1", "0110371", "+14355550142"
ANN, BOB = "ann@portal.example", "bob@portal.example"
NIGHT, NEXT = "2026-11-17T06:00", "2026-11-18T06:00"


@pytest.fixture
def town(database):
    """One household after its close, with a record's address and two portal users."""
    stage_run(database, a_household(ELM, mandates=(), email="record@example.com"))
    close_run(database)
    return database


def a_user(database, address=ANN, phone="4355550142"):
    with database.writing() as books:
        user = make_user(books, address, NOW, UserState.ACTIVE, phone=phone)
        add_link(books, user, KEY, LinkProof.NAME, NOW, "the customer")
    return user


def a_reader(database, address=ANN):
    user = a_user(database, address)
    with database.writing() as books:
        agree(books, user, PHONE, "I agree.", NOW)
    return user


def texts(database, *columns):
    chosen = columns or ("account", "form", "phone", "status")
    query = sa.select(*(text_message.c[name] for name in chosen)).order_by(text_message.c.key)
    with database.reading() as books:
        return [tuple(map(str, row)) for row in books.execute(query)]


def receivers(database):
    return sorted(address for _, _, address in mails(database))


def test_who_chose_texts_gets_one_in_the_place_of_the_mail_and_others_their_mails(town):
    a_reader(town)
    a_user(town, BOB, phone="")

    counts = queue(town, DUE_MAIL, NIGHT)

    assert (3, [BOB, "record@example.com"]) == (counts.queued, receivers(town))
    assert [(ELM, "payment-due", PHONE, "queued")] == texts(town)


def test_the_next_night_records_nothing_again_and_counts_it_as_known(town):
    a_reader(town)
    queue(town, DUE_MAIL, NIGHT)

    counts = queue(town, DUE_MAIL, NEXT)

    assert (0, 2, 1) == (counts.queued, counts.owed, len(texts(town)))


def test_two_who_share_a_phone_get_one_text(town):
    a_reader(town)
    a_reader(town, BOB)

    queue(town, DUE_MAIL, NIGHT)

    assert (1, ["record@example.com"]) == (len(texts(town)), receivers(town))


def test_a_phone_number_alone_is_no_consent(town):
    a_user(town)

    queue(town, DUE_MAIL, NIGHT)

    assert ([], True) == (texts(town), ANN in receivers(town))


@pytest.mark.parametrize("end", ["taken back", "stopped", "another phone", "deleted"])
def test_who_wants_no_texts_any_more_gets_mails_again(town, end):
    user = a_reader(town)
    with town.writing() as books:
        if end == "taken back":
            take_back(books, user, PHONE, NOW)
        elif end == "stopped":
            stop_phone(books, PHONE, NOW)
        elif end == "another phone":
            books.execute(web_user.update().values(phone="4355550143"))
        else:
            books.execute(web_user.update().values(state=UserState.DELETED))

    queue(town, DUE_MAIL, NIGHT)

    assert [] == texts(town)
    assert (end != "deleted") == (ANN in receivers(town))


def test_start_brings_back_what_was_agreed_to(town):
    user = a_reader(town)
    with town.writing() as books:
        stop_phone(books, PHONE, NOW)
        stopped = reader_of(books, user)
        start_phone(books, PHONE, NOW)
        started = reader_of(books, user)

    assert (None, PHONE) == (stopped, started.phone)


def test_a_stop_lets_no_waiting_text_leave_and_the_reminder_goes_by_mail(town):
    a_reader(town)
    queue(town, DUE_MAIL, NIGHT)
    with town.writing() as books:
        unsent = stop_phone(books, PHONE, NOW)

    queue(town, DUE_MAIL, NEXT)

    assert (1, [(ELM, "payment-due", PHONE, "failed")]) == (unsent, texts(town))
    assert [ANN, "record@example.com"] == receivers(town)


def test_a_text_that_failed_is_made_up_for_by_mail(town):
    a_reader(town)
    queue(town, DUE_MAIL, NIGHT)
    with town.writing() as books:
        books.execute(text_message.update().values(status=DeliveryStatus.FAILED))

    counts = queue(town, DUE_MAIL, NEXT)

    assert (1, True) == (counts.queued, ANN in receivers(town))


def test_what_was_mailed_before_texts_were_chosen_is_not_said_twice(town):
    user = a_user(town)
    queue(town, DUE_MAIL, NIGHT)
    with town.writing() as books:
        agree(books, user, PHONE, "I agree.", NOW)

    counts = queue(town, DUE_MAIL, NEXT)

    assert (0, []) == (counts.queued, texts(town))


def test_a_text_that_waits_is_taken_back_when_the_bill_is_paid(town):
    a_reader(town)
    queue(town, LATE_MAIL, "2026-11-21T06:00")
    pay(town, ELM, "80.00")

    taken = withdraw_reminders(town, terms("2026-11-21T06:30"))

    assert (2, []) == (taken, texts(town))


def test_a_text_that_waits_is_taken_back_when_the_bill_is_held(town):
    a_reader(town)
    queue(town, DUE_MAIL, NIGHT)
    with town.writing() as books:
        taken = withdraw_bill_mails(books, "2026-10", KEY)

    assert (2, []) == (taken.taken_out, texts(town))


@pytest.mark.parametrize(
    ("kind", "about", "goes_as_text"),
    [
        (MessageKind.BILL, "2026-10", False),
        (MessageKind.COMMUNICATION, "7", False),
        (MessageKind.METHOD_EXPIRING, "2026-11", False),
        (MessageKind.RECEIPT, "checkout/abc", False),
        (MessageKind.RECEIPT, "autopay/2026-10/0110371", True),
        (MessageKind.AUTOPAY_FAILED, "autopay/2026-10/0110371", True),
        (MessageKind.AUTOPAY_SCHEDULED, "autopay/2026-10/0110371", True),
    ],
)
def test_only_reminders_and_notices_of_autopay_are_texts(town, kind, about, goes_as_text):
    a_reader(town)
    message = PlannedMessage(kind, about, ANN, account=ELM, period="2026-10", form=kind.value)

    with town.writing() as books:
        queue_messages(books, [message], now=NOW, message_domain="larkspur.example")

    assert goes_as_text == bool(texts(town))


def test_what_was_said_of_texts_is_never_changed(town):
    a_reader(town)

    with pytest.raises(sa.exc.DBAPIError, match="append-only"), town.writing() as books:
        books.execute(text_consent.update().values(given=False))
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), town.writing() as books:
        books.execute(text_consent.delete())


def test_each_yes_and_no_stands_with_its_sentence_and_way(town):
    user = a_reader(town)
    with town.writing() as books:
        take_back(books, user, PHONE, NOW + timedelta(days=1))
        stop_phone(books, PHONE, NOW + timedelta(days=2), "Stop please")
        said = books.execute(sa.select(text_consent).order_by(text_consent.c.number)).all()

    assert [
        (user, True, "code", "I agree."),
        (user, False, "account-page", ""),
        (None, False, "text", "Stop please"),
    ] == [(row.user_number, row.given, row.way, row.sentence) for row in said]
