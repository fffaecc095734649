"""How a mail says what opens its bill, without saying it."""

from __future__ import annotations

from domain.deliveries import PasswordField

_BEGIN = "The PDF opens with a password: "
_ZIP = "the first five digits of the ZIP code that the bill is addressed to."
_ABROAD = (
    "the postal code that the bill is addressed to, with capital letters and without blanks or"
    " dashes."
)
_PHONE = "the last seven digits of the phone number that you gave us for this account."


def password_hint(field: PasswordField, password: str) -> str:
    """
    Return the sentence for a bill that this password opens; empty for one without.

    It says how to type what is written in several ways (rules.passwords); of the password itself
    only its kind shows.
    """
    if not password or field is PasswordField.NONE:
        return ""
    if field is PasswordField.PHONE:
        return _BEGIN + _PHONE
    is_five_digits = len(password) == 5 and password.isdigit()
    return _BEGIN + (_ZIP if is_five_digits else _ABROAD)
