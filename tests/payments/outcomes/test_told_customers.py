"""Whom autopay leaves something to pay is told: why, how much, and what to do (ruling 3).

Rule 83.
"""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from database.tables import (
    account,
    balance_due,
    delivery,
    enrollment,
    mandate,
    payment_method,
    suspended_method,
)
from domain.deliveries import DeliveryStatus
from domain.money import Money
from mail.letters.links import Unsubscribing
from mail.letters.templates import Templates
from mail.notices.autopay_failures import queue_autopay_failures, queue_capped_draws
from mail.notices.payments import Notifying
from mail.outbox.deliveries import COLUMNS, Delivery
from mail.rendering.bills import Sender
from mail.rendering.notices import NoticeRenderer
from tests.builders import (
    ACH,
    NOW,
    a_mandate,
    close_run,
    stage_run,
)
from tests.payments.collecting_builders import TERMS, Collector, a_collector, paying
from tests.payments.outcomes.test_drawing_again import a_returned_payment
from tests.payments.scheduling.test_situations import own_row
from tests.payments.scheduling_builders import schedule

LIMIT = {"maximum": Money(50_00)}
OWNER = "sven@example.com"
WAY_OUT = Unsubscribing(b"secret", "https://larkspur.example/out/{token}", "out@x.example")
SENDER = Sender("billing@larkspur.example", "bounces@larkspur.example", reply_to="desk@x.example")


def queue(office, since=timedelta(days=14)) -> int:
    return queue_autopay_failures(
        office.database, since=office.at - since, now=office.at, message_domain="x.example",
        to_landlords=True,
    )  # fmt: skip


def mails(office) -> list[tuple[str, str]]:
    """What is recorded, by form, as it would leave now: its text, or why it does not leave."""
    with office.database.writing() as books:
        books.execute(payment_method.update().values(portal_user=OWNER))
        books.execute(delivery.update().values(status=DeliveryStatus.SENDING))
        rows = [Delivery(*row) for row in books.execute(sa.select(*COLUMNS))]
    made = NoticeRenderer(office.database, Templates(), SENDER, WAY_OUT)(rows)
    return [(row.form, text_of(one)) for row, one in zip(rows, made, strict=True)]


def text_of(made) -> str:
    if not hasattr(made, "content"):
        return f"not sent: {made.error}"
    message = message_from_bytes(made.to_bytes(), policy=default)
    body = message.get_body(("plain",))
    return f"{message['Subject']}\n{' '.join(body.get_content().split())}"


def test_a_bill_above_the_maximum_is_told_with_what_to_do(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", terms=LIMIT))
    office.at = NOW

    recorded = [queue(office), queue(office)]

    [(form, text)] = mails(office)
    assert ([1, 0], "autopay-failed-over-maximum") == (recorded, form)
    assert text.startswith("Autopay does not pay your bill, account 1\n")
    assert "does not pay the $80.00 that is open on this account. The amount is above" in text
    assert "Please pay $80.00 in another way by November 20, 2026" in text
    assert "enroll again with a higher maximum" in text


def test_whoever_does_not_own_the_method_hears_only_that_nothing_is_drawn(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", terms=LIMIT))
    office.at = NOW
    queue(office)
    mails(office)
    with database.writing() as books:
        books.execute(delivery.update().values(address="tenant@example.com", source="portal-user"))
        books.execute(payment_method.update().values(portal_user=OWNER))

    [(_, text)] = mails(office)

    assert "Please pay $80.00 in another way" in text
    assert "maximum" not in text and "4242" not in text


def test_a_maximum_that_is_met_only_on_the_day_of_the_draw_is_told_as_well(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"))
    office.set(mandate, "1", maximum=Money(50_00))

    assert 1 == office.collect().cancelled
    recorded = [queue(office), queue(office)]

    assert ([1, 0], "autopay-failed-over-maximum") == (recorded, mails(office)[0][0])


@pytest.mark.parametrize("when", ["scheduling", "drawing", "suspended"])
def test_a_blocked_method_is_told_whenever_it_was_blocked(database, tmp_path, when):
    blocked = {"block_card": True} if when == "scheduling" else {}
    office = a_collector(database, tmp_path, paying("1", **blocked))
    if when == "drawing":
        office.set(account, "1", block_card=True)
    if when == "suspended":
        values = {"method_token": "tok_ok", "since": NOW, "reason": "lost"}
        with database.writing() as books:
            books.execute(suspended_method.insert().values(values))
    office.collect()

    recorded = [queue(office), queue(office)]

    [(form, text)] = mails(office)
    assert ([1, 0], "autopay-failed-method-blocked") == (recorded, form)
    assert "cannot be used for the account" in text and "Please call us" in text


def test_what_came_back_and_is_not_drawn_again_after_all_is_told(database, tmp_path):
    office = a_returned_payment(database, tmp_path, TERMS)
    queue(office)
    [(_, announced)] = mails(office)
    office.set(balance_due, "1", paid=Money(10_00))
    office.wait(days=8)
    office.collect()

    queue(office)

    told = dict(mails(office))
    assert "We will try once more on November 23, 2026." in announced
    assert "There was not enough money in the account." in announced
    assert "Please pay $70.00 in another way" in told["autopay-failed-amount-changed"]


def test_a_bill_that_was_paid_meanwhile_is_not_told(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", terms=LIMIT))
    office.at = NOW
    queue(office)
    office.set(balance_due, "1", paid=Money(80_00))

    assert [("autopay-failed-over-maximum", "not sent: nothing is owed any more")] == mails(office)


def test_nothing_is_told_of_periods_that_were_closed_long_ago(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", terms=LIMIT))
    office.at = NOW + timedelta(days=15)

    assert 0 == queue(office)


def test_a_draw_up_to_the_maximum_is_told_with_the_rest(database, tmp_path):
    own = a_mandate("1", method_kind=ACH, pays_up_to_maximum=True, **LIMIT)
    stage_run(database, paying("1", mandates=()), paying("2"))
    with database.writing() as books:
        books.execute(enrollment.insert().values(own_row(own)))
    close_run(database)
    schedule(database)
    office = Collector(database, None, at=NOW)
    terms = Notifying(NOW, "anna", "x.example")

    recorded = [queue_capped_draws(database, terms).queued for _ in range(2)]

    [(form, text)] = mails(office)
    assert ([1, 0], "autopay-scheduled") == (recorded, form)
    assert "Payment: $50.00" in text
    assert "Please pay the remaining $30.00 by November 20, 2026." in text
