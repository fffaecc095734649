"""What a customer owes for a period."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounts import AccountStatus
from domain.money import ZERO, Money
from rules.money.balances import amount_due, is_owed, pays_equal_amount
from tests.builders import an_account, examples

ACTIVE, FINAL, CLOSED = AccountStatus
AMOUNTS = st.builds(Money, st.integers(-(10**9), 10**9))
EQUAL = Money(55_00)


@pytest.mark.parametrize(
    ("status", "equal", "due"),
    [
        pytest.param(ACTIVE, None, "131.20", id="the balance"),
        pytest.param(ACTIVE, EQUAL, "55.00", id="the equal amount agreed, rule 41"),
        pytest.param(ACTIVE, ZERO, "0.00", id="an equal amount of zero is one"),
        pytest.param(FINAL, EQUAL, "131.20", id="a final account settles its real balance"),
        pytest.param(CLOSED, EQUAL, "131.20", id="a closed account pays no equal amount"),
    ],
)
def test_the_amount_due_is(status, equal, due):
    account = an_account(balance="131.20", status=status, equal_pay_amount=equal)

    assert Money.parse(due) == amount_due(account)
    assert (status is ACTIVE and equal is not None) == pays_equal_amount(account)


def test_a_credit_stays_a_credit():
    assert Money(-12_50) == amount_due(an_account(balance="-12.50"))


@given(AMOUNTS, st.none() | AMOUNTS, st.sampled_from(AccountStatus))
@examples
def test_the_amount_due_is_one_of_the_two_fields_and_nothing_else(balance, equal, status):
    account = an_account(status=status, equal_pay_amount=equal, closing_balance=balance)

    expected = equal if status is ACTIVE and equal is not None else balance

    assert expected == amount_due(account)


@pytest.mark.parametrize(
    ("balance", "owed"), [("0.01", True), ("0.00", False), ("-0.01", False), ("80.00", True)]
)
def test_zero_and_credit_are_nothing_to_ask_for_ruling_15(balance, owed):
    assert owed is is_owed(Money.parse(balance))
