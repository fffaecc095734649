"""What a corrected amount does to a payment, by how far the payment has come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from corrections.rescheduling import SchedulingTerms, reschedule
from database.tables import account, balance_due, draw, gateway_payment, mandate
from domain.money import Money
from domain.payments import DrawState, PaymentState
from tests.builders import (
    ACH,
    CLOSING_DAY,
    NOW,
    OFFICE_DEFAULTS,
    a_household,
    a_mandate,
    close_run,
    stage_run,
)
from tests.payments.scheduling_builders import BANKS, schedule

NUMBER = "01.1037.1"
PAYMENT = "The payment of $80.00 on 2026-11-13"


@pytest.fixture
def town(database):
    """One household after its close: 80.00 are drawn on November 13."""
    a_town(database, a_mandate(NUMBER, method_kind=ACH))
    schedule(database)
    return database


def a_town(database, *mandates: Any) -> None:
    stage_run(database, a_household(NUMBER, mandates=mandates))
    close_run(database)


def change(database, table: sa.Table, **values: Any) -> None:
    with database.writing() as books:
        assert 1 == books.execute(table.update().values(**values)).rowcount


def owe(database, amount: str) -> None:
    change(database, balance_due, amount_due=Money.parse(amount))


def add_draw(database, state: DrawState) -> None:
    with database.writing() as books:
        key = books.scalar(sa.select(gateway_payment.c.key))
        books.execute(
            draw.insert().values(
                key=f"{key}/1", payment_key=key, number=1, amount=Money(80_00),
                method_token="tok_7_1", state=state, created_at=NOW, lookups=0,
            )
        )  # fmt: skip


def said(database, *, today: date = CLOSING_DAY, now: datetime = NOW) -> tuple[str, ...]:
    terms = SchedulingTerms(now, today, BANKS, OFFICE_DEFAULTS, notice_days=10)
    with database.writing() as books:
        return reschedule(books, NUMBER, terms)


def payment_of(database) -> tuple[str, str, str]:
    with database.reading() as books:
        row = books.execute(sa.select(gateway_payment)).one()
    return str(row.state), str(row.amount), str(row.pay_on)


def test_a_payment_that_waits_takes_the_new_amount(town):
    owe(town, "20.00")

    assert (f"{PAYMENT} is now $20.00 on 2026-11-13.",) == said(town)
    assert ("scheduled", "20.00", "2026-11-13") == payment_of(town)


@pytest.mark.parametrize(
    ("today", "days"),
    [(date(2026, 11, 3), None), (date(2026, 11, 4), "9 days"), (date(2026, 11, 12), "1 day")],
)
def test_a_dearer_draw_of_a_bank_account_is_told_to_be_short_of_notice(town, today, days):
    owe(town, "90.00")

    told = said(town, today=today)

    short = (
        f"notice-short: the bank account is drawn {days} after its notice, and a changed amount "
        "needs 10; call the customer, or cancel autopay."
    )
    assert (f"{PAYMENT} is now $90.00 on 2026-11-13.", *([short] if days else [])) == told


def test_the_same_amount_and_day_stay(town):
    assert (f"{PAYMENT} stays as it is.",) == said(town)


def test_a_payment_whose_mandate_is_gone_stays(town):
    with town.writing() as books:
        books.execute(mandate.delete())
    owe(town, "20.00")

    told = said(town)

    assert (f"{PAYMENT} stays: nobody's mandate says how it would be planned anew.",) == told
    assert ("scheduled", "80.00", "2026-11-13") == payment_of(town)


def test_a_payment_of_a_returned_one_stays(town):
    change(town, gateway_payment, number=2)
    owe(town, "20.00")

    told = (f"{PAYMENT}, of a returned one, stays; no more than is owed is drawn.",)
    assert told == said(town)
    assert ("scheduled", "80.00", "2026-11-13") == payment_of(town)


def test_a_payment_that_is_tried_again_keeps_its_day(town):
    add_draw(town, DrawState.DECLINED)
    change(town, gateway_payment, pay_on=date(2026, 11, 17))
    owe(town, "20.00")

    said(town)

    assert ("scheduled", "20.00", "2026-11-17") == payment_of(town)


def test_a_draw_that_nobody_was_asked_for_is_given_up(town):
    add_draw(town, DrawState.CREATED)
    owe(town, "20.00")

    said(town)

    with town.reading() as books:
        assert [DrawState.ABANDONED] == list(books.scalars(sa.select(draw.c.state)))
    assert ("scheduled", "20.00", "2026-11-13") == payment_of(town)


@pytest.mark.parametrize(
    ("due", "left"),
    [
        ("90.00", "$90.00 is owed now: the customer pays it by hand, or with the next bill."),
        ("0.00", "Nothing is owed now."),
        ("-5.00", "$5.00 is a credit on the account, which the next bill takes off; "
                  "`billclose refund CONFIRMATION` gives back what was drawn."),
    ],
)  # fmt: skip
def test_a_payment_that_was_declined_stays_so_and_what_is_owed_is_told(town, due, left):
    change(town, gateway_payment, state=PaymentState.DECLINED)
    owe(town, due)

    assert ("The payment of $80.00 is declined and stays so.", left) == said(town)


@pytest.mark.parametrize("state", [PaymentState.SUBMITTED, PaymentState.UNKNOWN])
def test_a_payment_on_its_way_is_not_changed(town, state):
    change(town, gateway_payment, state=state)
    owe(town, "20.00")

    told = said(town)

    assert (
        "The payment of $80.00 of 2026-11-13 is on its way and cannot be changed; it counts when "
        "it is answered."
    ) == told[0]
    assert (str(state), "80.00", "2026-11-13") == payment_of(town)


def test_what_was_drawn_is_not_drawn_a_second_time(town):
    change(town, gateway_payment, state=PaymentState.SUCCEEDED)
    owe(town, "90.00")

    told = said(town)

    assert (
        "The payment of $80.00 of 2026-11-13 was drawn (succeeded); nothing is drawn a second time."
    ) == told[0]


def test_who_has_no_mandate_pays_by_hand(database):
    a_town(database)

    assert () == said(database)
    owe(database, "-5.00")
    (credit,) = said(database)
    assert credit.startswith("$5.00 is a credit on the account")


def test_nothing_left_to_draw_cancels_it_and_more_later_makes_it_anew(town):
    owe(town, "0.00")
    (cancelled,) = said(town)
    gone = payment_of(town)
    owe(town, "30.00")
    anew = said(town, now=NOW + timedelta(hours=1))

    assert cancelled.startswith(f"{PAYMENT} is cancelled: ")
    assert ("cancelled", "80.00", "2026-11-13") == gone
    assert "Autopay draws $30.00 on 2026-11-13." == anew[0]
    assert ("scheduled", "30.00", "2026-11-13") == payment_of(town)


def test_an_account_that_nothing_can_be_drawn_from_is_told_why(database):
    a_town(database, a_mandate(NUMBER, method_kind=ACH))
    change(database, account, block_ach=True)

    (told,) = said(database)

    assert told.startswith("Autopay draws nothing: ")
