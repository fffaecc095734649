"""Phone numbers that text messages go to."""

from __future__ import annotations

FEWEST, MOST = 10, 15  # digits; E.164 has no more
_OWN_COUNTRY = "1"  # numbers are written without it in the United States


def to_phone(written: str) -> str:
    """
    Return a number as networks know it (E.164), `+14355550142`; empty for what is none.

    Ten digits are one of the United States, however they are grouped.
    """
    digits = "".join(filter(str.isdigit, written))
    if not digits.isascii() or not FEWEST <= len(digits) <= MOST:
        return ""
    return f"+{_OWN_COUNTRY}{digits}" if len(digits) == FEWEST else f"+{digits}"


def say_phone(phone: str) -> str:
    """Write a number of the United States as people read it; another one as it is."""
    if not phone.startswith("+1") or len(phone) != 12:
        return phone
    return f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}"


def ending(phone: str) -> str:
    """Return the last four digits: enough to know one's own by."""
    return phone[-4:]
