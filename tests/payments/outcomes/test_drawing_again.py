"""What a bank returned for want of money is drawn again, with the same amount: R01 and R09."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from database.tables import balance_due, draw, gateway_payment, posting
from domain.money import ZERO, Money
from domain.payments import MethodKind, PaymentState
from payments.outcomes.events import take_in_events
from rules.money.returns import AgainPolicy, again_on
from tests.builders import ACH, RUN
from tests.payments.collecting_builders import BANKS, TERMS, a_collector, paying

FRIDAY = date(2026, 11, 20)
TWICE = replace(TERMS, again=AgainPolicy(times=2))


def again(code="R01", kind=MethodKind.ACH, number=1, first_on=FRIDAY, policy=None) -> date | None:
    return again_on(
        code, kind, number,
        first_on=first_on, today=FRIDAY, closed=BANKS, policy=policy or AgainPolicy(),
    )  # fmt: skip


def test_it_is_drawn_five_banking_days_after_it_came_back():
    assert date(2026, 11, 30) == again()  # Thanksgiving is no banking day
    assert date(2026, 11, 23) == again(policy=AgainPolicy(banking_days=1))


@pytest.mark.parametrize(
    "changes",
    [
        *(pytest.param({"code": code}, id=code) for code in ("R02", "R08", "R10", "R16", "R29")),
        pytest.param({"kind": MethodKind.CARD}, id="a card has no returns"),
        pytest.param({"number": 2}, id="it was drawn again before"),
        pytest.param({"number": 3, "policy": AgainPolicy(times=9)}, id="twice before: never more"),
        pytest.param({"policy": AgainPolicy(times=0)}, id="the office does not want it"),
        pytest.param({"first_on": FRIDAY - timedelta(days=171)}, id="181 days after the first"),
    ],
)
def test_it_is_never_drawn_again_where(changes):
    assert again(**changes) is None


def test_the_last_day_is_the_180th_after_the_first_draw():
    assert again("R09", first_on=FRIDAY - timedelta(days=170)) == date(2026, 11, 30)


def a_returned_payment(database, place, terms=TERMS, token="tok_ach_R01_d2"):
    office = a_collector(database, place, paying("1", token, method_kind=ACH), terms=terms)
    office.collect()
    wait_for_return(office)
    return office


def wait_for_return(office) -> None:
    office.wait(days=3)
    take_in_events(office.database, office.gateway, office.terms, office.now)


def payments(office) -> list[tuple[int, PaymentState, Money, str | None]]:
    rows = gateway_payment.c
    query = sa.select(rows.number, rows.state, rows.amount, rows.error).order_by(rows.number)
    with office.database.reading() as books:
        return [tuple(row) for row in books.execute(query)]


def test_each_draw_has_a_payment_a_number_and_entries_of_its_own(database, tmp_path):
    office = a_returned_payment(database, tmp_path, TWICE)
    for _ in range(2):
        office.wait(days=10)
        office.collect()
        wait_for_return(office)
    office.wait(days=40)

    left = office.collect().drawn.count  # it came back three times: never again

    with database.reading() as books:
        kinds = list(books.scalars(sa.select(posting.c.kind).order_by(posting.c.key)))
        keys = list(books.scalars(sa.select(draw.c.key).order_by(draw.c.key)))
    first = f"autopay/{RUN}/1"
    assert [f"{first}/1", f"{first}/again2/1", f"{first}/again3/1"] == keys
    assert ["receipt"] * 3 + ["reversal"] * 3 == kinds
    assert [PaymentState.RETURNED] * 3 == [row[1] for row in payments(office)]
    assert (ZERO, 0, 3) == (office.paid(), left, len(office.taken()))
    assert ["drawn again", "drawn again", None] == [
        "drawn again" if "drawn again on" in row[3] else None for row in payments(office)
    ]


def test_taking_a_return_in_twice_draws_it_again_once(database, tmp_path):
    office = a_returned_payment(database, tmp_path)
    wait_for_return(office)

    assert [(1, PaymentState.RETURNED), (2, PaymentState.SCHEDULED)] == [
        row[:2] for row in payments(office)
    ]


def test_the_fee_is_no_part_of_what_is_drawn_again(database, tmp_path):
    office = a_returned_payment(database, tmp_path, replace(TERMS, return_fee=Money(25_00)))
    office.wait(days=10)

    drawn = office.collect().drawn

    assert (1, Money(80_00)) == (drawn.count, drawn.amount)


@pytest.mark.parametrize(
    ("paid", "error"),
    [("10.00", "not drawn: amount-changed"), ("80.00", "not drawn: paid-meanwhile")],
)
def test_another_amount_than_before_is_not_drawn(database, tmp_path, paid, error):
    """Nacha: the entry that is initiated again has the amount of the first."""
    office = a_returned_payment(database, tmp_path)
    office.set(balance_due, "1", paid=Money.parse(paid))
    office.wait(days=10)

    assert 0 == office.collect().drawn.count

    assert (2, PaymentState.CANCELLED, Money(80_00), error) == payments(office)[1]


def test_an_unauthorized_draw_is_never_drawn_again(database, tmp_path):
    office = a_returned_payment(database, tmp_path, TWICE, "tok_ach_R10_d2")
    office.wait(days=60)

    assert 0 == office.collect().drawn.count
    assert [(1, PaymentState.RETURNED, Money(80_00), "returned: R10 (unauthorized)")] == payments(
        office
    )
