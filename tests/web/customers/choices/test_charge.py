"""Why autopay charged what it did: each way to an amount and a day, and who may read it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from database.tables import account, gateway_payment
from domain.money import Money
from domain.payments import MethodKind, PaymentKind, PaymentState
from tests.builders import DUE, NOW, RUN
from tests.web.customers.choices.conftest import LANDLORD, MINE, THEIRS, add_method, words
from tests.web.customers.choices.test_autopay import PAGE, enrolled

CHARGE = f"/accounts/{MINE}/charges/{RUN}/1"


def scheduled(town, **changes):
    """A payment of autopay that rests on no agreement that the books still have."""
    facts = {
        "key": f"autopay/{RUN}/{MINE}/1", "kind": PaymentKind.AUTOPAY, "period": RUN,
        "account_key": MINE, "account": "01.1037.1", "number": 1, "pay_on": DUE,
        "amount": Money(80_00), "service_fee": Money(0), "method_token": "tok_gone",
        "method_kind": MethodKind.CARD, "last4": "4242", "immediate": False,
        "state": PaymentState.SCHEDULED, "scheduled_at": NOW,
    }  # fmt: skip
    with town.writing() as books:
        books.execute(gateway_payment.insert().values(facts | changes))


def change(town, **values):
    with town.writing() as books:
        books.execute(gateway_payment.update().values(**values))


def test_who_set_autopay_up_reads_why_this_amount_and_why_that_day(tenant):
    """Rules 41, 48, 49, 69."""
    add_method(tenant)
    enrolled(tenant)

    page = words(tenant.get(CHARGE))

    for sentence in (
        "Autopay draws $80.00 on November 13, 2026.",
        "Your bill for October 2026 asks for $80.00: the entire balance due.",
        "It is drawn 5 days before the due date, November 20, 2026.",
        "No bank works on November 15, 2026, so it is another day.",
        "You agreed to autopay on November 3, 2026.",
        "Visa ending 4242",
    ):
        assert sentence in page
    assert CHARGE in tenant.get(PAGE).text


def test_what_was_taken_leads_to_why_from_the_list_of_payments(tenant, town):
    """Rules 47, 180: an evening's payment has the utility's own day."""
    add_method(tenant)
    enrolled(tenant)
    evening = NOW.replace(year=2026, month=11, day=14, hour=2, minute=0)  # the 13th in Denver
    change(town, state=PaymentState.SUCCEEDED, taken_at=evening, confirmation="C-1")

    listed, page = tenant.get("/bills"), words(tenant.get(CHARGE))

    assert CHARGE in listed.text
    assert "Nov 13, 2026 01.1037.1 $80.00 Autopay" in words(listed)
    assert "Autopay drew $80.00 on November 13, 2026." in page and "C-1" in page


def test_a_landlord_reads_why_and_no_payment_details(tenant, landlord):  # rules 118, 135
    add_method(tenant)
    enrolled(tenant)

    page = words(landlord.get(CHARGE))

    assert "Autopay draws $80.00" in page
    assert "by whoever's payment method it draws from" in page
    assert "4242" not in page and "You agreed" not in page and LANDLORD not in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"number": 2}, "It was drawn before and came back, so it is drawn again."),
        ({"number": 2}, "A payment that came back is tried again after some banking days."),
        ({"immediate": True}, "had come or passed already, so it was due at once."),
        ({"amount": Money(30_00)}, "is not drawn again: $30.00 was left."),
        ({"amount": Money(95_00)}, "added to your account afterwards $95.00 was owed."),
        ({"state": PaymentState.DECLINED}, "and it was declined. Nothing was taken."),
        ({"state": PaymentState.CANCELLED}, "was taken off the schedule. Nothing was taken."),
        ({"state": PaymentState.UNKNOWN}, "the answer has not come yet."),
        ({}, "The agreement of that time is not kept here any more."),
    ],
)
def test_each_way_to_an_amount_and_a_day_is_said(tenant, town, changes, sentence):
    scheduled(town, **changes)

    assert sentence in words(tenant.get(f"{CHARGE[:-1]}{changes.get('number', 1)}"))


def test_equal_pay_and_a_maximum_are_named(tenant, town):  # rules 41, 50
    add_method(tenant)
    enrolled(tenant, maximum="50.00", above="cap")
    capped = words(tenant.get(CHARGE))
    with town.writing() as books:
        books.execute(account.update().values(equal_pay_amount=Money(50_00)))

    assert "$50.00 is your maximum: no more is drawn" in capped
    assert "$50.00 is your equal-pay amount." in words(tenant.get(CHARGE))


def test_a_day_that_was_counted_from_another_due_date_is_not_put_on_the_banks(tenant, town):
    add_method(tenant)
    enrolled(tenant)
    change(town, pay_on=date(2026, 11, 13) - timedelta(days=9))

    page = words(tenant.get(CHARGE))

    assert "The day was counted from the due date as it stood then." in page
    assert "No bank works" not in page


@pytest.mark.parametrize(
    "path",
    [CHARGE.replace(MINE, THEIRS), f"{CHARGE}9", f"{CHARGE[:-1]}x", f"{CHARGE[:-1]}-1",
     CHARGE.replace(RUN, "2026-09"), CHARGE.replace(RUN, "%00")],
)  # fmt: skip
def test_what_is_not_theirs_or_not_there_looks_the_same(tenant, town, path):
    scheduled(town)

    answer = tenant.get(path)

    assert 404 == answer.status_code


def test_another_customer_reads_nothing_of_it(neighbor, town):
    scheduled(town)

    assert 404 == neighbor.get(CHARGE).status_code


def test_whoever_pays_by_hand_reads_there_that_autopay_would_draw(tenant):  # rule 69
    add_method(tenant)
    before = words(tenant.get(f"/accounts/{MINE}/pay"))
    enrolled(tenant)

    page = words(tenant.get(f"/accounts/{MINE}/pay"))

    assert "Autopay draws $80.00 on November 13, 2026. What you pay before that day is not" in page
    assert "Autopay draws" not in before
