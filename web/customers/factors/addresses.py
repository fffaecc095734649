"""An e-mail address that a visitor typed, as it is written to."""

from __future__ import annotations

from collections.abc import MutableMapping

from email_validator import EmailNotValidError, validate_email

from web.visits import Visit

ADDRESS = "Enter an e-mail address in the form name@example.com."


def read_address(visit: Visit, problems: MutableMapping[str, str]) -> str:
    """Return the address in the field `email`; what is wrong with it goes beside the field."""
    try:
        return validate_email(visit.text("email"), check_deliverability=False).normalized
    except EmailNotValidError:
        problems["email"] = visit.say(ADDRESS)
        return ""
