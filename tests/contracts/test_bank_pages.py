"""A payment that the customer's bank asks about, at every gateway: taken once or never."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import httpx
import pytest

from domain.checkout import CheckoutEnd
from payments.collecting.unanswered import look_up_payment
from tests.contracts.test_checkouts import TAKEN, new_books, till
from tests.payments.checkout_builders import add_method

__all__ = ["new_books", "till"]

BACK = "https://pay.larkspur.example/payments/k/returned"


@pytest.fixture
def asked(till):
    """Ann has said yes to a payment with a card whose bank wants hers, too."""
    with till.ann.database.writing() as books:
        add_method(books, till.ann.user, till.desk.wanting)
    till.draft(token=till.desk.wanting)
    till.confirm(returns_to=BACK)
    assert CheckoutEnd.AWAITS is till.end()
    return till


def page_of(till) -> str:
    return till.ann.find().bank_page


def come_back(till, **more):
    return look_up_payment(
        till.ann.database, till.desk.gateway, till.terms, till.now, "checkout/k", **more
    )


def test_nothing_is_taken_before_the_bank_has_its_yes_and_then_once(asked):
    page, before = page_of(asked), asked.desk.taken()
    come_back(asked)  # their browser came back without an answer
    waits = asked.end()

    asked.desk.answer_bank(page, yes=True)
    come_back(asked)
    come_back(asked)  # a second tab, the browser's history

    assert (0, CheckoutEnd.AWAITS) == (before, waits)
    assert (CheckoutEnd.PAID, TAKEN) == (asked.end(), asked.desk.taken())
    assert "" == page_of(asked)
    assert "0.00" == asked.ann.owed


def test_a_no_on_the_banks_page_is_a_decline_that_can_be_begun_again(asked):
    asked.desk.answer_bank(page_of(asked), yes=False)
    come_back(asked)

    assert (CheckoutEnd.DECLINED, 0) == (asked.end(), asked.desk.taken())
    assert "declined: payment_intent_authentication_failure" == asked.ann.find().error
    assert CheckoutEnd.PAID is asked.pay(key="again")


def test_a_browser_that_never_comes_back_is_found_out_by_the_office(asked):
    asked.desk.answer_bank(page_of(asked), yes=True)

    asked.look_up()

    assert (CheckoutEnd.PAID, TAKEN) == (asked.end(), asked.desk.taken())


def test_whoever_never_answers_is_given_up_after_half_an_hour_and_may_pay_again(asked):
    page, ends = page_of(asked), []
    for _ in range(6):
        asked.look_up()
        ends.append(asked.end())

    assert [CheckoutEnd.AWAITS] * 4 + [CheckoutEnd.DECLINED] * 2 == ends
    assert "declined: authentication_required" == asked.ann.find().error
    assert ("", "0.00") == (page_of(asked), asked.ann.on_its_way)
    with suppress(httpx.HTTPStatusError):  # Stripe has no such page any more
        asked.desk.answer_bank(page, yes=True)
    asked.look_up()
    assert (CheckoutEnd.DECLINED, 0) == (asked.end(), asked.desk.taken())


def test_the_customer_may_give_it_up_themselves(asked):
    come_back(asked, gives_up=True)

    assert (CheckoutEnd.DECLINED, 0) == (asked.end(), asked.desk.taken())
    assert CheckoutEnd.PAID is asked.pay(key="again")


def test_given_up_too_late_it_is_what_the_bank_made_of_it(asked):
    asked.desk.answer_bank(page_of(asked), yes=True)

    come_back(asked, gives_up=True)

    assert (CheckoutEnd.PAID, TAKEN) == (asked.end(), asked.desk.taken())


def test_while_the_gateway_is_silent_it_waits_and_the_end_is_found_later(asked):
    asked.desk.answer_bank(page_of(asked), yes=True)
    asked.desk.lose("lookup", "never", "never")

    come_back(asked)
    silent = asked.end()
    asked.desk.lose("lookup")
    asked.look_up()

    assert CheckoutEnd.AWAITS is silent
    assert (CheckoutEnd.PAID, TAKEN) == (asked.end(), asked.desk.taken())


def test_an_answer_that_was_lost_leads_to_the_bank_after_all(till):
    with till.ann.database.writing() as books:
        add_method(books, till.ann.user, till.desk.wanting)
    till.draft(token=till.desk.wanting)
    till.desk.lose("confirm", "lost")
    till.confirm(returns_to=BACK)
    lost = till.end()

    till.look_up()
    awaits = till.end()
    till.desk.answer_bank(page_of(till), yes=True)
    till.look_up()

    assert [CheckoutEnd.ON_ITS_WAY, CheckoutEnd.AWAITS] == [lost, awaits]
    assert (CheckoutEnd.PAID, TAKEN) == (till.end(), till.desk.taken())


def test_a_request_that_was_lost_is_asked_again_with_the_same_way_back(till):
    with till.ann.database.writing() as books:
        add_method(books, till.ann.user, till.desk.wanting)
    till.draft(token=till.desk.wanting)
    till.desk.lose("confirm", "never")
    till.confirm(returns_to=BACK)

    till.look_up()
    till.desk.answer_bank(page_of(till), yes=True)
    till.at += timedelta(hours=1)
    till.look_up()

    assert (CheckoutEnd.PAID, TAKEN) == (till.end(), till.desk.taken())
