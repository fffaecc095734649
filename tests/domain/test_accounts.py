"""Account numbers and what makes two of them one account.

Rule 124.
"""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounts import account_key
from tests.builders import an_account, examples

NUMBERS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
SIGNS = st.text(".- /", max_size=3)


@pytest.mark.parametrize("number", ["01.1037.1", "01-1037-1", "0110371", " 01 1037.1 "])
def test_dashes_and_periods_do_not_count_in_a_number_rule_124(number):
    assert "0110371" == account_key(number)


@given(NUMBERS, st.data())
@examples
def test_a_number_has_one_key_however_it_is_spelled(number, data):
    spelled = "".join(char + data.draw(SIGNS) for char in data.draw(SIGNS) + number)

    assert account_key(number) == account_key(spelled) == account_key(spelled.swapcase())
    assert account_key(number) == account_key(account_key(number))


@given(NUMBERS, NUMBERS)
@examples
def test_two_accounts_never_share_a_key(one, two):
    assert (one.upper() == two.upper()) == (account_key(one) == account_key(two))


def test_leading_zeros_count():
    assert account_key("01.1037.1") != account_key("1.1037.1")


def test_an_account_is_known_by_its_key():
    assert "A17" == an_account("a-17").key
