"""Addresses as an envelope can carry them."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

from domain.failures import PermanentFailure

_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def to_envelope_address(address: str) -> str:
    """
    Return one address in ASCII: a domain of other letters in punycode (RFC 5891).

    A list of addresses is none: mail libraries silently take the first of `a@x;b@y`. Raises
    PermanentFailure, and never repeats the address.
    """
    if _PLAIN.fullmatch(address) and len(address) <= 254:
        return address
    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise PermanentFailure("the e-mail address is not valid") from None
    if found.ascii_email is None or not _PLAIN.fullmatch(found.ascii_email):
        raise PermanentFailure("the e-mail address needs letters that mail servers may not take")
    return found.ascii_email
