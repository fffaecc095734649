"""Telling card and bank numbers from everything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_system.export.sensitive import (
    holds_sensitive_number,
    is_sensitive_token,
    may_be_sensitive_token,
    may_hold_sensitive_number,
    passes_luhn,
    passes_routing_checksum,
)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "paid by 5555 5555 5555 4444 12/28",
        "CARD378282246310005",
        "3782 822463 10005",
        "6011000990139424",
        "2223003122003222",
        "021000021/12345678",
        "Routing 021000021 Account 123456789",
        "RTN 121000358 acct no. 0012345",
    ],
)
def test_a_number_is_found_in(text):
    assert holds_sensitive_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "801-555-0123",
        "435-555-0123 435-555-0199",
        "+1 (801) 555-0123",
        "84840-1234",
        "2026-10-31 2026-11-20",
        "10/31/2026 11/20/2026",
        "01.1037.1",
        "4111111111111112",
        "0000000000000000",
        "1234567890123456",
        "021000022/12345678",
        "021000021",
        "Beltran, Sven",
        "101 Canyon St, Larkspur UT 84999-1234",
    ],
)
def test_no_number_is_found_in(text):
    assert not holds_sensitive_number(text)


@pytest.mark.parametrize("text", ["12345678", "1234-5678", "12 34 56 78", "tok_4111111111111111"])
def test_a_token_is_a_number(text):
    assert is_sensitive_token(text)


@pytest.mark.parametrize("text", ["tok_7_1", "0113", "pm_1JqX4242abcd", "a4111111111111111f"])
def test_a_token_is_a_token(text):
    assert not is_sensitive_token(text)


def check_digit(digits: str) -> str:
    return next(d for d in "0123456789" if passes_luhn(digits + d))


@given(st.text("0123456789", min_size=14, max_size=14), st.sampled_from(["", " ", "-"]))
def test_every_card_with_its_check_digit_is_found(digits, between):
    card = "4" + digits
    card += check_digit(card)

    written = between.join(card[start : start + 4] for start in range(0, 16, 4))

    assert holds_sensitive_number(f"card {written}.")


@given(st.text("0123456789 -/a\n", min_size=8, max_size=40))
def test_digits_are_enough_where_a_card_or_a_routing_number_has_as_many(text):
    enough = re.search("[0-9](?:[ -]?[0-9]){12}|[0-9]{9}", text) is not None

    assert enough == may_hold_sensitive_number(text)


@given(st.text("0123456789 -/", min_size=8, max_size=30), st.sampled_from(["", "7", "tok_"]))
def test_a_token_that_is_a_number_is_noticed_among_others(token, before):
    may_be = may_be_sensitive_token(f"tok_7_1\n{before}{token}\n0113")

    assert may_be or not is_sensitive_token(before + token)


@pytest.mark.parametrize("text", ["2026-10-31\n2026-11-02", "84840-1234\n12.35", "555-0123\n9"])
def test_texts_of_an_ordinary_export_have_too_few_digits(text):
    assert not may_hold_sensitive_number(text)


@given(st.text("0123456789", min_size=4, max_size=17))
def test_a_wrong_check_digit_is_never_a_card(digits):
    wrong = str((int(check_digit(digits)) + 1) % 10)

    assert not holds_sensitive_number(digits + wrong)


@given(st.from_regex(r"[0-9]{2}\.[0-9]{4}\.[0-9]{1,2}", fullmatch=True))
def test_account_numbers_are_never_found(number):
    assert not holds_sensitive_number(f"Transfer from {number} to {number}")


@given(st.from_regex(r"[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}", fullmatch=True))
def test_telephone_numbers_are_never_found(number):
    assert not holds_sensitive_number(f"{number} {number}")


def test_routing_numbers_have_a_checksum_and_a_district():
    assert passes_routing_checksum("021000021")
    assert not passes_routing_checksum("021000020")
    assert not passes_routing_checksum("000000000")
    assert not passes_routing_checksum("999999992")
