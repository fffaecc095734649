"""Why nobody is sent to the gateway's page at this moment, in the customer's words."""

from __future__ import annotations

from domain.failures import Refused

ADDRESS_NEW = (
    "The address that you sign in with was changed less than 24 hours ago. Until then no payment "
    "method can be added, so that nobody does it in your name. What is saved can be used."
)
TOO_MANY = "You began this too often. Please try again in 24 hours."


def refusal_of(refused: Refused) -> tuple[int, str]:
    """Return the status and the sentence of a visit to the gateway's page that is not begun."""
    return (409, ADDRESS_NEW) if refused.code == "address-new" else (429, TOO_MANY)
