"""The lists of payments: what each row says of a payment's fate."""

from __future__ import annotations

from datetime import date

import pytest

from database.queries.autopay import rates_by_period, read_return_rates
from database.tables import balance_due, draw
from domain.failures import OutcomeUnknown
from domain.money import Money
from payments.enrollment.ending import cancel_enrollment
from payments.outcomes.unknown_payments import list_doubts, select_unknown
from reporting.lists.money import AUTOPAY_ENDED, scheduled_payments
from rules.money.returns import ReturnKind
from tests.builders import ACH
from tests.payments.checkout_builders import a_payer
from tests.payments.collecting.test_crashes import Gateway, fails
from tests.payments.collecting_builders import Collector, a_collector, paying
from tests.payments.outcomes.test_returning import take_in


def nothing(office: Collector) -> None:
    pass


def collect(office: Collector) -> None:
    office.collect()


def unenroll(office: Collector) -> None:
    cancel_enrollment(
        office.database, "1", now=office.at, today=date(2026, 11, 9), who="anna", reason="asked"
    )


def pay_elsewhere(office: Collector) -> None:
    office.set(balance_due, "1", paid=Money(80_00))
    office.collect()


@pytest.mark.parametrize(
    ("token", "happens", "status", "error"),
    [
        ("tok_ok", nothing, "Pending", ""),
        (
            "tok_insufficient_funds", collect, "Pending",
            "declined: insufficient_funds, drawn again on 2026-11-16",
        ),
        ("tok_stolen_card", collect, "declined: stolen_card", "declined: stolen_card"),
        ("tok_ok", unenroll, "Cancelled", AUTOPAY_ENDED),
        ("tok_ok", pay_elsewhere, "Cancelled", "not drawn: paid-meanwhile"),
    ],
    ids=["not due", "waits for its next try", "declined", "unenrolled", "paid elsewhere"],
)  # fmt: skip
def test_a_payment_shows_why_it_is_not_drawn_rule_79(
    database, tmp_path, token, happens, status, error
):
    """Rule 80 too: what is still to be drawn says pending."""
    office = a_collector(database, tmp_path, paying("1", token))

    happens(office)

    with database.reading() as books:
        (row,) = books.execute(scheduled_payments()).all()
    assert (status, error) == (row.status, row.error)


def lose_the_answer(office: Collector) -> Gateway:
    return Gateway(office.gateway, confirm=fails(OutcomeUnknown("lost on the way")))


def by_autopay(database, place) -> Collector:
    office = a_collector(database, place, paying("1"))
    office.collect(gateway=lose_the_answer(office))
    return office


def by_hand(database, place) -> Collector:
    payer = a_payer(database, place)
    assert payer.draft() is None
    payer.confirm(gateway=lose_the_answer(payer.office))
    return payer.office


@pytest.mark.parametrize("pay", [by_autopay, by_hand])
def test_the_list_of_payments_in_doubt_has_all_that_the_desk_asks_about(database, tmp_path, pay):
    office = pay(database, tmp_path)

    with database.reading() as books:
        listed = [(row.key, row.account) for row in books.execute(select_unknown())]
        (drawn,) = books.execute(draw.select()).all()
    found = list_doubts(database, office.gateway, lambda _draw: None, office.at)
    assert [(drawn.key, "1")] == listed == [(one.draw.key, one.draw.account) for one in found]


def test_bank_payments_by_hand_count_in_the_return_rates(database, tmp_path):
    payer = a_payer(database, tmp_path, "tok_ach_R10_d2", kind=ACH)
    payer.pay(token="tok_ach_R10_d2")
    payer.office.wait(days=3)
    take_in(payer.office)

    with database.reading() as books:
        rates = {one.kind: one for one in read_return_rates(books, payer.office.at)}
        by_period = {row.kind: row for row in books.execute(rates_by_period())}
    unauthorized = rates[ReturnKind.UNAUTHORIZED]
    assert (1, 1) == (unauthorized.returned, unauthorized.originated)
    assert (1, 1) == (by_period["unauthorized"].returned, by_period["unauthorized"].originated)
