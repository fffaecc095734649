"""The password of an e-mailed bill: one way to type what is written in several."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries import PasswordField
from rules.mail.delivery import bill_password

ZIP, PHONE = PasswordField.ZIP, PasswordField.PHONE


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("84840", "84840"),
        (" 84840 ", "84840"),
        ("84840-1234", "84840"),
        ("84840 1234", "84840"),
        ("848401234", "84840"),
        ("07102", "07102"),
        ("７1０２３", "71023"),
        ("k1a 0b1", "K1A0B1"),
        ("SW1A-1AA", "SW1A1AA"),
        ("", ""),
        (" - ", ""),
    ],
)
def test_a_zip_code_is_typed_as(written, password):
    assert password == bill_password(ZIP, written, "5550001")


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("555-0123", "5550123"),
        ("(303) 555-0123", "5550123"),
        ("303.555.0123", "5550123"),
        ("+1 303 555 0123", "5550123"),
        ("13035550123", "5550123"),
        pytest.param("23035550123", "", id="eleven digits that begin with no 1"),
        pytest.param("303-555-0123 x12", "", id="an extension"),
        pytest.param("555-0123 / 555-0199", "", id="two numbers"),
        pytest.param("+44 20 7946 0958", "", id="a number of another country"),
        pytest.param("555", "", id="too short"),
        pytest.param("", "", id="none"),
        pytest.param("none", "", id="a word"),
        pytest.param("555-0123 ext 303", "", id="an extension as long as an area code"),
        pytest.param("555-0123\N{SUPERSCRIPT TWO}", "5550123", id="the number of a footnote"),
    ],
)
def test_a_phone_number_is_typed_as(written, password):
    assert password == bill_password(PHONE, "84840", written)


def test_without_a_field_there_is_no_password():
    assert "" == bill_password(PasswordField.NONE, "84840", "5550123")


@given(st.sampled_from(PasswordField), st.text(max_size=30), st.text(max_size=30))
def test_a_password_can_be_typed_on_any_keyboard_and_typing_it_is_no_other(field, zip_code, phone):
    password = bill_password(field, zip_code, phone)

    assert password == "" or (password.isascii() and password.isalnum())
    assert password == password.upper()
    assert password == bill_password(field, password, password)
