"""Autopay's payments with what they came of, on both kinds of database."""

from __future__ import annotations

from datetime import date

from database.queries.histories import payments_of
from database.queries.portal.charges import ChargeTerms, charge_of
from database.tables import gateway_payment
from domain.money import Money
from domain.payments import MethodKind, PaymentKind, PaymentState
from tests.builders import DUE, NOW, RUN, a_household, close_run, stage_run

KEY = "0110371"


def test_a_charge_has_the_agreement_of_the_export_that_it_came_of(database):
    stage_run(database, a_household())
    close_run(database)
    with database.writing() as books:
        books.execute(
            gateway_payment.insert().values(
                key="p", kind=PaymentKind.AUTOPAY, period=RUN, account_key=KEY,
                account="01.1037.1", number=1, pay_on=DUE, amount=Money(80_00),
                service_fee=Money(0), method_token="tok_7_1", method_kind=MethodKind.CARD,
                last4="4242", immediate=False, state=PaymentState.SUCCEEDED, confirmation="C",
                scheduled_at=NOW, taken_at=NOW,
            )
        )  # fmt: skip
    with database.reading() as books:
        (paid,) = payments_of(books, [KEY])
        found = charge_of(books, KEY, RUN, 1)
        others = [charge_of(books, KEY, RUN, 2), charge_of(books, "9", RUN, 1)]

    assert (f"{RUN}/1", "", None, NOW) == (paid.charge, paid.checkout, paid.paid_by, paid.taken_at)
    assert [None, None] == others
    assert found is not None and (Money(80_00), DUE) == (found.billed, found.due_on)
    assert ChargeTerms(5, None, date(2026, 4, 9), found.agreement.payer) == found.agreement
