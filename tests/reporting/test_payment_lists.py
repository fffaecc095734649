"""The lists of payments: what each row says of a payment's fate."""

from __future__ import annotations

from datetime import date

import pytest

from database.tables import balance_due
from domain.money import Money
from payments.enrollment.ending import cancel_enrollment
from reporting.lists.money import AUTOPAY_ENDED, scheduled_payments
from tests.payments.collecting_builders import Collector, a_collector, paying


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
