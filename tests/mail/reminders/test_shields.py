"""The shield: customers whom a failure of ours hurt get no past-due mail meanwhile."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from database.queries.exceptions import exceptions
from database.tables import (
    delivery,
    draw,
    enrollment,
    gateway_payment,
    paper,
    period_close,
    planned_payment,
    print_batch,
)
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus, MessageKind, PaperReason
from domain.money import Money
from domain.payments import DrawState, MethodKind
from domain.reminders import Skipped
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from mail.reminders.exemptions import undrawn
from mail.reminders.selection import kept_back
from rules.mail.reminders import Exemption
from tests.builders import NOW, RUN, a_household, close_run, stage_run
from tests.mail.reminder_builders import (
    DENVER,
    DUE_MAIL,
    LATE_MAIL,
    local,
    queue,
    schedule,
    terms,
)

NUMBER = "01.1037.1"
KEY = account_key(NUMBER)
BEFORE, AFTER = "2026-11-17T06:00", "2026-11-21T06:00"
EXEMPTION = Exemption(10)
LONG_AGO = "2026-11-02T09:00"  # the day of the close


@pytest.fixture
def town(database):
    stage_run(database, a_household(NUMBER, mandates=()))
    close_run(database)
    return database


def mail_bill(database, status="sent", sent_at: str | None = LONG_AGO, mailbox="sven@example.com"):
    """Let the account's bill stand in the outbox as it stands."""
    message = PlannedMessage(MessageKind.BILL, RUN, mailbox, None, NUMBER, RUN, "utility-bill")
    with database.writing() as books:
        queue_messages(books, [message], now=NOW, message_domain="larkspur.example")
        books.execute(
            delivery.update()
            .where(delivery.c.address == mailbox)
            .values(
                status=DeliveryStatus(status),
                sent_at=local(sent_at) if sent_at and status == "sent" else None,
            )
        )


def print_bill(database, part: int | None, written_at: str = LONG_AGO) -> None:
    with database.writing() as books:
        books.execute(
            paper.insert().values(
                period=RUN, form="utility-bill", account_key=KEY, account=NUMBER, pages=1,
                reason=PaperReason.EBILL_BOUNCED, part=part, sequence=1,
            )
        )  # fmt: skip
        if part is not None:
            books.execute(
                print_batch.insert().values(
                    period=RUN, part=part, bulk=1, form="utility-bill", file="p.pdf", bills=1,
                    pages=1, sha256="0" * 64, written_at=local(written_at),
                )
            )  # fmt: skip


def add_draw(database, number: int, state: DrawState, created_at: str) -> None:
    with database.writing() as books:
        books.execute(
            draw.insert().values(
                key=f"autopay/{RUN}/{KEY}/{number}", payment_key=f"autopay/{RUN}/{KEY}",
                number=number, amount=Money.parse("80.00"), method_token="tok", state=state,
                created_at=local(created_at), lookups=0,
            )
        )  # fmt: skip


def change_payment(database, **values: Any) -> None:
    with database.writing() as books:
        books.execute(gateway_payment.update().values(**values))


def exempted(database, at: str = AFTER, exemption: Exemption | None = EXEMPTION) -> list[str]:
    counts = queue(database, LATE_MAIL, at, records=False, exemption=exemption)
    assert 1 == counts.owed + counts.skipped.total()
    return [reason.value for reason in counts.skipped]


BILL = Skipped.SHIELDED_BILL.value


@pytest.mark.parametrize(
    ("status", "sent_at", "why"),
    [
        ("sent", LONG_AGO, []),
        ("failed", None, [BILL]),
        ("in-doubt", None, [BILL]),
        ("deferred", None, [BILL]),
        ("queued", None, [BILL]),
        ("sent", "2026-11-12T06:00", [BILL]),  # the mail server was away for ten days
        ("sent", "2026-11-10T06:00", []),  # it has had the bill for more than ten days
    ],
)
def test_a_bill_that_did_not_arrive_or_late_shields(town, status, sent_at, why):
    mail_bill(town, status, sent_at)

    assert why == exempted(town)


def test_one_mailbox_that_has_the_bill_is_enough(town):
    mail_bill(town, "failed")
    mail_bill(town, mailbox="ina@example.com")

    assert [] == exempted(town)


@pytest.mark.parametrize(
    ("part", "written_at", "why"),
    [
        (1, LONG_AGO, []),  # the close's own print batch
        (None, LONG_AGO, [BILL]),  # it waits for the next
        (2, "2026-11-12T16:00", [BILL]),
        (2, "2026-11-10T16:00", []),
    ],
)
def test_a_bill_on_a_later_print_batch_shields_for_some_days_from_it_on(
    town, part, written_at, why
):
    mail_bill(town, "failed")
    print_bill(town, part, written_at)

    assert why == exempted(town)


def test_without_an_e_bill_there_is_none_that_could_not_arrive(town):
    assert [] == exempted(town)


@pytest.mark.parametrize(
    ("scheduled_at", "immediate", "why"),
    [
        (LONG_AGO, True, []),  # in time; the customer's own days are so
        ("2026-11-18T09:00", True, ["shielded-schedule"]),
        ("2026-11-18T09:00", False, []),
        ("2026-11-10T09:00", True, []),  # more than ten days ago
    ],
)
def test_a_schedule_that_the_office_made_late_shields(town, scheduled_at, immediate, why):
    schedule(town, NUMBER, "declined")
    change_payment(town, scheduled_at=local(scheduled_at), immediate=immediate)

    assert why == exempted(town)


def test_who_enrolled_late_was_not_scheduled_late_by_us(town):
    schedule(town, NUMBER, "declined")
    change_payment(town, scheduled_at=local("2026-11-18T09:00"), immediate=True)
    with town.writing() as books:
        books.execute(
            enrollment.insert().values(
                account_key=KEY, account=NUMBER, portal_user="", method_token="tok",
                method_kind=MethodKind.ACH, last4="6789", days_prior=5,
                enrolled_on=date(2026, 11, 18), enrolled_at=local("2026-11-18T09:00"),
                enrolled_by="anna", consent_version="1", consent_text="yes",
            )
        )  # fmt: skip

    assert [] == exempted(town)


def test_a_planned_payment_that_nobody_scheduled_shields_as_long_as_it_is_so(town):
    """Ruling 20."""
    with town.writing() as books:
        books.execute(
            planned_payment.insert().values(
                period=RUN, account_key=KEY, account=NUMBER, amount=Money.parse("80.00"),
                pay_on=date(2026, 11, 13), immediate=False, method_token="tok",
                method_kind=MethodKind.ACH, last4="6789",
            )
        )  # fmt: skip
    forgotten = exempted(town, "2026-12-04T06:00")
    schedule(town, NUMBER, "declined")

    assert (["shielded-schedule"], []) == (forgotten, exempted(town))


@pytest.mark.parametrize(
    "draws",
    [
        pytest.param([], id="nobody collected"),
        pytest.param([(DrawState.ABANDONED, "2026-11-20T09:00")], id="the gateway was down"),
        pytest.param([(DrawState.ABANDONED, "2026-11-10T09:00")], id="and for long"),
    ],
)
@pytest.mark.parametrize("at", [AFTER, "2026-12-04T06:00"])
def test_a_payment_whose_day_is_past_undrawn_shields_however_it_came_about(town, draws, at):
    """Ruling 20."""
    schedule(town, NUMBER)
    for number, (state, created_at) in enumerate(draws, start=1):
        add_draw(town, number, state, created_at)

    assert ["shielded-draw"] == exempted(town, at)


@pytest.mark.parametrize("state", ["declined", "cancelled", "returned"])
def test_a_payment_that_was_drawn_or_given_up_shields_no_more(town, state):
    schedule(town, NUMBER, state)
    change_payment(town, immediate=False)

    assert [] == exempted(town)


def test_a_payment_whose_day_is_to_come_shields_nobody(town):
    schedule(town, NUMBER)
    change_payment(town, pay_on=date(2026, 11, 22), immediate=False)

    assert [] == exempted(town)


def test_an_undrawn_payment_of_an_earlier_period_shields_too(town):
    stage_run(town, a_household(NUMBER, mandates=()), period="2026-09")
    with town.writing() as books:
        books.execute(
            period_close.insert().values(period="2026-09", closed_at=NOW, closed_by="test")
        )
    schedule(town, NUMBER, period="2026-09")

    assert ["shielded-draw"] == exempted(town)


def test_a_gateway_that_is_down_shields_those_too_that_it_was_not_asked_for(database):
    stage_run(database, a_household(NUMBER, mandates=()), a_household("01.1038.2", mandates=()))
    close_run(database)
    for number in (NUMBER, "01.1038.2"):
        schedule(database, number)
    add_draw(database, 1, DrawState.ABANDONED, "2026-11-20T09:00")

    counts = queue(database, LATE_MAIL, AFTER, exemption=EXEMPTION)

    assert (0, {Skipped.SHIELDED_DRAW: 2}) == (counts.owed, counts.skipped)


@pytest.mark.parametrize(("days", "why"), [(3, []), (30, [BILL])])
def test_how_long_it_lasts_is_the_offices(town, days, why):
    mail_bill(town, sent_at="2026-11-12T06:00")

    assert why == exempted(town, exemption=Exemption(days))


def test_it_can_be_switched_off(town):
    mail_bill(town, "failed")

    assert [] == exempted(town, exemption=None)


def test_the_payment_due_mail_comes_all_the_same(town):
    mail_bill(town, "failed")

    assert 1 == queue(town, DUE_MAIL, BEFORE, exemption=EXEMPTION).queued


def test_what_it_kept_back_is_caught_up_once_it_is_over(town):
    mail_bill(town, "failed")
    print_bill(town, 2, "2026-11-16T16:00")

    nights = [
        queue(town, LATE_MAIL, f"2026-11-{day}T06:00", exemption=EXEMPTION).queued
        for day in range(21, 30)
    ]

    assert [0] * 6 + [1, 0, 0] == nights


def test_who_is_shielded_stands_among_the_exceptions_with_the_reason(town):
    mail_bill(town, "failed")

    with town.reading() as books:
        rows = books.execute(exceptions(kept_back(books, terms(AFTER, exemption=EXEMPTION)))).all()

    codes = {row.code: row.message for row in rows}
    assert "came back, did not leave, or reached it late" in codes["reminder-shielded-bill"]


def test_the_office_is_late_from_the_day_after_the_first_that_it_may_close_on():
    monday_closed = Exemption(10, {date(2026, 11, 2)})

    found = [one.late_from(date(2026, 10, 31), DENVER) for one in (EXEMPTION, monday_closed)]

    assert [local("2026-11-03T00:00"), local("2026-11-04T00:00")] == found


def test_it_is_told_how_many_payments_are_past_their_day_and_not_drawn(town):
    schedule(town, NUMBER)
    on_its_day = undrawn(town, local("2026-11-02T08:00"))
    late = undrawn(town, local("2026-11-03T06:00"))
    schedule(town, NUMBER, "succeeded")

    assert (0, 1) == (on_its_day.payments, late.payments)
    assert (Money.parse("80.00"), date(2026, 11, 2)) == (late.amount, late.since)
    assert 0 == undrawn(town, local("2026-11-03T06:00")).payments
