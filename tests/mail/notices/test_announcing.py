"""Receipts, and words before a draw: who gets which, once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from database.runs import record_step
from database.tables import delivery, draw, gateway_payment
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus, MessageKind
from domain.money import Money
from domain.payments import DrawState, MethodKind
from domain.reminders import Skipped
from domain.steps import Step
from mail.notices.payments import Notifying, queue_draw_notices, queue_receipts
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from mail.reminders.queueing import withdraw_notices
from tests.builders import NOW, RUN, a_household, a_mandate, close_run, stage_run
from tests.mail.reminder_builders import local, mails, suppress_mailbox

NUMBER = "01.1037.1"
DRAWN, NEXT_DAY = "2026-11-13T09:00", "2026-11-14T07:00"
MAILED = "2026-11-02T06:00"


def terms(at: str = NEXT_DAY, **changes: Any) -> Notifying:
    return Notifying(local(at), "anna", "larkspur.example", **changes)


def pay_by_autopay(database, of=NUMBER, period=RUN, **changes: Any) -> None:
    """Give an account a payment of $80.00 from its bank account on the 13th."""
    key = account_key(of)
    facts: dict[str, Any] = {
        "key": f"autopay/{period}/{key}", "period": period, "account_key": key, "account": of,
        "number": 1, "pay_on": date(2026, 11, 13), "amount": Money.parse("80.00"),
        "method_token": "tok_7_1", "method_kind": MethodKind.ACH, "last4": "6789",
        "immediate": False, "state": "scheduled", "scheduled_at": NOW,
    }  # fmt: skip
    with database.writing() as books:
        books.execute(gateway_payment.insert().values(facts | changes))


def close_town(database, *households, period=RUN, ends_on=date(2026, 10, 31)):
    stage_run(database, *(households or (a_household(NUMBER),)), period=period, ends_on=ends_on)
    close_run(database, period)


def finish_mailing(database, period=RUN) -> None:
    record_step(database, period, Step.SEND, Step.SEND.position, NOW, NOW, {})


def mail_bill(database, status: str, sent_at: str | None = None) -> None:
    bill = PlannedMessage(MessageKind.BILL, RUN, "ann@b.example", None, NUMBER, RUN, "utility-bill")
    with database.writing() as books:
        queue_messages(books, [bill], now=NOW, message_domain="larkspur.example")
        found = {"status": DeliveryStatus(status), "sent_at": local(sent_at) if sent_at else None}
        books.execute(delivery.update().values(found))


def told(database) -> list[tuple[str, ...]]:
    return [mail for mail in mails(database, "form", "address") if mail[0] != "utility-bill"]


# -- receipts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "receipts"),
    [("succeeded", 1), ("scheduled", 0), ("unknown", 0), ("declined", 0), ("returned", 0)],
)
def test_a_payment_that_was_drawn_gets_a_receipt_and_no_other_does(database, state, receipts):
    """Rule 196."""
    close_town(database)
    pay_by_autopay(database, state=state, taken_at=local(DRAWN))

    assert receipts == queue_receipts(database, terms()).queued
    assert [("receipt", "sven@example.com")] * receipts == told(database)


def test_a_payment_gets_one_receipt_however_often_it_is_looked_for(database):
    close_town(database)
    pay_by_autopay(database, state="succeeded", taken_at=local(DRAWN))

    found = [queue_receipts(database, terms(f"2026-11-{day}T07:00")).queued for day in (14, 15, 16)]

    assert [1, 0, 0] == found


def test_a_second_payment_of_a_period_gets_a_receipt_of_its_own(database):
    close_town(database)
    key = f"autopay/{RUN}/{account_key(NUMBER)}"
    pay_by_autopay(database, state="succeeded", taken_at=local(DRAWN))
    queue_receipts(database, terms())
    with database.writing() as books:
        books.execute(gateway_payment.update().values(state="returned"))
    pay_by_autopay(
        database, key=f"{key}/2", number=2, state="succeeded", taken_at=local("2026-11-19T09:00")
    )

    assert 1 == queue_receipts(database, terms("2026-11-20T07:00")).queued
    assert 2 == len(told(database))


def test_every_mailbox_of_the_account_gets_it_paperless_or_not(database):
    one = a_household(
        NUMBER, email="sven@example.com;ina@example.com", ebill=False, cosigner_id="C1",
        links=(("user@example.net", False),),
    )  # fmt: skip
    stage_run(database, one, landlords=[("C1", "landlord@example.net")])
    close_run(database)
    pay_by_autopay(database, state="succeeded", taken_at=local(DRAWN))

    without = queue_receipts(database, terms(to_landlords=False, records=False)).queued
    everybody = queue_receipts(database, terms()).queued

    assert (3, 4) == (without, everybody)


def test_who_cannot_be_told_is_counted(database):
    close_town(database, a_household(NUMBER, email=""), a_household("01.1038.2"))
    for number in (NUMBER, "01.1038.2"):
        pay_by_autopay(database, number, state="succeeded", taken_at=local(DRAWN))
    suppress_mailbox(database, "sven@example.com")

    counts = queue_receipts(database, terms())

    assert (0, {Skipped.NO_ADDRESS: 1, Skipped.SUPPRESSED: 1}) == (counts.queued, counts.skipped)


@pytest.mark.parametrize(
    "changes", [{"receipts": False}, {"records": False}, {"at": "2026-11-28T09:01"}]
)
def test_nothing_is_recorded_when_the_office_wants_none_only_looks_or_comes_weeks_late(
    database, changes
):
    close_town(database)
    pay_by_autopay(database, state="succeeded", taken_at=local(DRAWN))

    queue_receipts(database, terms(**changes))

    assert [] == told(database)


# -- words before a draw --------------------------------------------------------------------------


def test_who_gets_no_e_bill_hears_of_amount_and_day_of_a_draw_once(database):
    close_town(database, a_household(NUMBER, ebill=False))
    pay_by_autopay(database)
    finish_mailing(database)

    found = [queue_draw_notices(database, terms(f"2026-11-0{day}T07:00")).queued for day in (3, 4)]

    assert [1, 0] == found
    assert [("autopay-scheduled", "sven@example.com")] == told(database)


@pytest.mark.parametrize(
    ("status", "sent_at", "queued"),
    [
        ("sent", MAILED, 0),
        ("queued", None, 0),
        ("deferred", None, 0),
        ("in-doubt", None, 0),
        ("failed", None, 1),  # it came back: nobody has been told
    ],
)
def test_who_has_it_in_the_e_bill_is_not_told_twice(database, status, sent_at, queued):
    close_town(database)
    pay_by_autopay(database)
    finish_mailing(database)
    mail_bill(database, status, sent_at)

    assert queued == queue_draw_notices(database, terms("2026-11-03T07:00")).queued


def test_an_e_bill_that_left_before_the_payment_was_scheduled_did_not_tell_of_it(database):
    close_town(database)
    finish_mailing(database)
    mail_bill(database, "sent", MAILED)
    pay_by_autopay(database, scheduled_at=local("2026-11-09T09:00"))

    assert 1 == queue_draw_notices(database, terms("2026-11-10T07:00")).queued


def test_nobody_is_told_before_the_e_bills_have_been_sent(database):
    close_town(database)
    pay_by_autopay(database)

    assert 0 == queue_draw_notices(database, terms("2026-11-03T07:00")).queued


@pytest.mark.parametrize(
    ("who", "changes", "queued"),
    [
        ("varying", {"method_kind": MethodKind.CARD}, 0),
        ("all", {"method_kind": MethodKind.CARD}, 1),
        ("none", {}, 0),
        ("varying", {"pay_on": date(2026, 11, 2)}, 0),  # it is past
        ("varying", {"state": "cancelled"}, 0),
        ("varying", {"state": "succeeded"}, 0),
    ],
)
def test_a_word_is_owed_before_a_bank_draft_to_come(database, who, changes, queued):
    close_town(database)
    pay_by_autopay(database, **changes)
    finish_mailing(database)

    found = queue_draw_notices(database, terms("2026-11-03T07:00", autopay_scheduled=who))

    assert queued == found.queued


@pytest.mark.parametrize(("amount", "queued"), [("80.00", 0), ("79.99", 1)])
def test_the_same_amount_as_the_period_before_needs_no_word(database, amount, queued):
    close_town(database, period="2026-09", ends_on=date(2026, 9, 30))
    pay_by_autopay(database, period="2026-09", amount=Money.parse(amount), state="succeeded")
    close_town(database)
    pay_by_autopay(database)
    finish_mailing(database)

    assert queued == queue_draw_notices(database, terms("2026-11-03T07:00")).queued


def test_an_equal_pay_amount_is_agreed_and_needs_no_word(database):
    equal = a_household(NUMBER, a_mandate(NUMBER), equal_pay_amount=Money.parse("80.00"))
    close_town(database, equal)
    pay_by_autopay(database)
    finish_mailing(database)

    assert 0 == queue_draw_notices(database, terms("2026-11-03T07:00")).queued


def test_a_draw_that_is_tried_again_was_told_by_the_mail_about_its_failure(database):
    close_town(database)
    pay_by_autopay(database)
    finish_mailing(database)
    key = f"autopay/{RUN}/{account_key(NUMBER)}"
    with database.writing() as books:
        books.execute(
            draw.insert().values(
                key=f"{key}/1", payment_key=key, number=1, amount=Money.parse("80.00"),
                method_token="tok", state=DrawState.DECLINED, created_at=NOW, lookups=0,
            )
        )  # fmt: skip

    assert 0 == queue_draw_notices(database, terms("2026-11-03T07:00")).queued


# -- what waits and is not so any more ------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "state", "taken"),
    [
        (MessageKind.RECEIPT, "succeeded", 0),
        (MessageKind.RECEIPT, "returned", 1),
        (MessageKind.AUTOPAY_SCHEDULED, "scheduled", 0),
        (MessageKind.AUTOPAY_SCHEDULED, "succeeded", 1),
        (MessageKind.AUTOPAY_SCHEDULED, "cancelled", 1),
    ],
)
def test_a_notice_that_waits_is_taken_back_when_it_is_not_so_any_more(database, kind, state, taken):
    close_town(database)
    pay_by_autopay(database, state=state)
    one = PlannedMessage(kind, "autopay", "sven@example.com", None, NUMBER, RUN, kind.value)
    with database.writing() as books:
        queue_messages(books, [one], now=NOW, message_domain="larkspur.example")

    assert taken == withdraw_notices(database, NOW, "anna")
    with database.reading() as books:
        left = books.scalar(sa.select(sa.func.count()).select_from(delivery))
    assert 1 - taken == left
