"""A payment method has one name at every door."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.languages import ENGLISH, NAMES, SPANISH
from domain.payment_methods import label_method, say_kind, say_method
from domain.payments import MethodKind

CARD, ACH = MethodKind.CARD, MethodKind.ACH
ROOT = Path(__file__).parents[2]
SAYS_IT = ROOT / "domain" / "payment_methods.py"
# The sandbox's own list, which tells a checking account from a savings account (rule 68).
TEST_TOKENS = ROOT / "payments" / "sandbox" / "test_methods.py"


@pytest.mark.parametrize(
    ("kind", "brand", "language", "said"),
    [
        (CARD, "", ENGLISH, "card ending 4242"),
        (CARD, "Visa", ENGLISH, "Visa ending 4242"),
        (ACH, "", ENGLISH, "bank account ending 4242"),
        (ACH, "First {Bank}", ENGLISH, "First {Bank} account ending 4242"),
        (CARD, "", SPANISH, "tarjeta terminada en 4242"),
        (CARD, "Visa", SPANISH, "Visa terminada en 4242"),
        (ACH, "", SPANISH, "cuenta bancaria terminada en 4242"),
        (ACH, "First Bank", SPANISH, "cuenta de First Bank terminada en 4242"),
    ],
)
def test_a_method_is_named_by_its_brand_or_bank_and_its_last_digits(kind, brand, language, said):
    assert said == say_method(kind, "4242", brand, language)
    assert said[0].upper() + said[1:] == label_method(kind, "4242", brand, language)


@pytest.mark.parametrize("language", NAMES)
def test_one_that_no_wallet_knows_is_not_named_by_a_code(language):
    gone = say_method(None, "", "", language)

    assert " " in gone and "None" not in gone
    for kind in MethodKind:
        assert say_kind(kind, language) == say_method(kind, "", "", language)


def test_nobody_else_puts_a_name_together():
    """Else customers read one card by two names: where they pay, and where it is drawn from."""
    ends_so = re.compile(r"(ending|terminada en)( in)? ?[{%'\"][^\n]{0,40}last4")
    folders = ("identity", "mail", "office", "payments", "reporting", "web", "command_line")
    files = (
        file
        for folder in folders
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".html", ".txt", ".po") and file != TEST_TOKENS
    )

    assert [] == [str(file) for file in files if ends_so.search(file.read_text(encoding="utf-8"))]
    assert ends_so.search(TEST_TOKENS.read_text(encoding="utf-8"))  # the pattern finds such a one
