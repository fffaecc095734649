"""The password of an e-mailed bill, made of what the customer knows."""

from __future__ import annotations

import re
import unicodedata

from domain.deliveries import PasswordField

_ZIP_PLUS_FOUR = re.compile(r"([0-9]{5})[0-9]{4}")
_PHONE = re.compile(r"1?[0-9]{3}([0-9]{7})|([0-9]{7})")


def bill_password(field: PasswordField, zip_code: str, phone: str) -> str:
    """
    Return what opens an account's e-mailed bill, in ASCII; empty where there is no such thing.

    There is one way to type it, whatever way the export writes it:

    - `zip`: the first five digits of a ZIP code. A postal code of another country: its letters, as
      capitals, and its digits, without blanks and dashes.
    - `phone`: the last seven digits of a number of seven or ten, or of eleven that begin with 1. Of
      anything else (two numbers, an extension) the customer could not know which digits count.
    """
    match field:
        case PasswordField.ZIP:
            return _of_zip(zip_code)
        case PasswordField.PHONE:
            return _of_phone(phone)
        case _:
            return ""


def _of_zip(zip_code: str) -> str:
    plain = unicodedata.normalize("NFKC", zip_code).upper()
    code = "".join(char for char in plain if char.isascii() and char.isalnum())
    full = _ZIP_PLUS_FOUR.fullmatch(code)
    return full[1] if full else code


def _of_phone(phone: str) -> str:
    if any(char.isalpha() for char in phone):
        return ""
    digits = "".join(char for char in phone if char.isascii() and char.isdigit())
    number = _PHONE.fullmatch(digits)
    return (number[1] or number[2]) if number else ""
