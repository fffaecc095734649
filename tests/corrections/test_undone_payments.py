"""What becomes of payments when their close is taken back, and the period is closed again."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from corrections.undo.looking import UndoBoundary
from corrections.undo.taking_back import UndoTerms, take_back
from database.tables import draw, enrollment_end, gateway_payment, suspended_method
from domain.money import Money
from domain.payments import DrawState, PaymentState
from tests.builders import ACH, NOW, RUN, a_household, a_mandate, close_run, stage_run
from tests.payments.scheduling_builders import schedule

AGAIN_ON = date(2026, 11, 16)
PAID = gateway_payment.c


@pytest.fixture
def town(database):
    """One account, closed and scheduled for November 13."""
    agreed = a_mandate("1", method_kind=ACH, method_token="tok1")
    stage_run(database, a_household("1", agreed, balance="40.00"))
    close_run(database)
    schedule(database)
    return database


def change(town, number: int = 1, **values) -> None:
    with town.writing() as books:
        books.execute(gateway_payment.update().where(PAID.number == number).values(values))


def returned(town) -> None:
    """The bank returned the draw for want of money, and it is to be drawn once more."""
    change(town, state=PaymentState.RETURNED, taken_at=NOW, confirmation="SB1")
    with town.writing() as books:
        row = books.execute(sa.select(gateway_payment)).one()._asdict()
        new = {"key": f"{row['key']}/again2", "number": 2, "state": PaymentState.SCHEDULED}
        off = {"confirmation": None, "taken_at": None, "pay_on": AGAIN_ON}
        books.execute(gateway_payment.insert().values(row | new | off))


def taken_back_and_closed_again(town, meanwhile=None) -> None:
    terms = UndoTerms(NOW, "anna", "anna", "Wrong rates", UndoBoundary(5, NOW.date()))
    take_back(town, RUN, lambda _file: False, terms)
    with town.writing() as books:
        states = set(books.scalars(sa.select(PAID.state)))
        if meanwhile is not None:
            books.execute(meanwhile)
    assert PaymentState.SCHEDULED not in states
    close_run(town)
    schedule(town)


def stands(town) -> list[tuple[int, PaymentState, date]]:
    query = sa.select(PAID.number, PAID.state, PAID.pay_on).order_by(PAID.number)
    with town.reading() as books:
        return [tuple(row) for row in books.execute(query)]


def test_what_was_returned_is_drawn_once_more_as_its_customer_was_told(town):
    returned(town)

    taken_back_and_closed_again(town)

    assert [PaymentState.RETURNED, PaymentState.SCHEDULED] == [one[1] for one in stands(town)]
    assert AGAIN_ON == stands(town)[1][2]


@pytest.mark.parametrize(
    "meanwhile",
    [
        enrollment_end.insert().values(
            account_key="1", ended_on=NOW.date(), ended_at=NOW, ended_by="anna",
            reason="she called",
        ),
        suspended_method.insert().values(method_token="tok1", since=NOW, reason="R10"),
    ],
    ids=["autopay was ended", "its method was suspended"],
)  # fmt: skip
def test_it_is_not_where_that_is_not_agreed_to_any_more(town, meanwhile):
    returned(town)

    taken_back_and_closed_again(town, meanwhile)

    assert PaymentState.CANCELLED == stands(town)[1][1]


def test_what_was_off_for_a_reason_of_its_own_stays_off(town):
    returned(town)
    change(town, 2, state=PaymentState.CANCELLED, error="the customer paid a part")

    taken_back_and_closed_again(town)

    assert PaymentState.CANCELLED == stands(town)[1][1]


def test_what_was_declined_and_is_tried_again_keeps_its_day(town):
    change(town, pay_on=date(2026, 11, 18))
    with town.writing() as books:
        books.execute(
            draw.insert().values(
                key="d1", payment_key=books.scalar(sa.select(PAID.key)), number=1,
                amount=Money(40_00), method_token="tok1", state=DrawState.DECLINED,
                created_at=NOW, lookups=0,
            )
        )  # fmt: skip

    taken_back_and_closed_again(town)

    assert [(1, PaymentState.SCHEDULED, date(2026, 11, 18))] == stands(town)
