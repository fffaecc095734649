"""Addresses as an envelope can carry them."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

from domain.failures import PermanentFailure

_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def to_envelope_address(address: str) -> str:
    """
    Return one address as an envelope has it: a domain of other letters in punycode (RFC 5891).

    What stands before the @ keeps its letters; such an address goes only where the relay announces
    SMTPUTF8 (RFC 6531). A list of addresses is none: mail libraries silently take the first of
    `a@x;b@y`. Raises PermanentFailure, and never repeats the address.
    """
    if _PLAIN.fullmatch(address) and len(address) <= 254:
        return address
    try:
        found = validate_email(
            address, check_deliverability=False, test_environment=True, strict=True
        )
    except EmailNotValidError:
        raise PermanentFailure("the e-mail address is not valid") from None
    envelope = f"{found.local_part}@{found.ascii_domain}"
    is_long = len(found.local_part.encode()) > 64  # octets (RFC 5321, 4.5.3.1.1)
    if is_long or (envelope.isascii() and not _PLAIN.fullmatch(envelope)):
        raise PermanentFailure("the e-mail address has characters that mail servers may not take")
    return envelope
