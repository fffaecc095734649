"""What a customer is told of an autopay payment that failed."""

from __future__ import annotations

import re

from domain.payments import Advice

_NO_FUNDS = (
    "There was not enough money in the account.",
    "Please make sure of it before the next payment, or choose another way to pay.",
)
_EXPIRED = (
    "The card has expired.",
    "Please end autopay and enroll again with a card that is valid.",
)
_CLOSED = (
    "The bank account is closed or could not be found.",
    "Please end autopay and enroll again with another bank account.",
)
_NOT_ALLOWED = (
    "The bank says that this payment was not authorized.",
    "Please call us before anything is drawn again.",
)
_REFUSED = (
    "The payment was refused.",
    "Please ask your bank or card company why, or choose another way to pay.",
)
_UNFIT = (
    "This card or bank account cannot be used.",
    "Please end autopay and enroll again with another one.",
)
_CONFIRM = (
    "Your bank wants you to confirm the payment, or to lift a limit.",
    "Please ask your bank or card company.",
)
_ADVISED = {
    Advice.LATER: _NO_FUNDS,
    Advice.NEW_METHOD: _UNFIT,
    Advice.NEVER: _UNFIT,
    Advice.CUSTOMER_ACTION: _CONFIRM,
}
# Words of gateways, and return codes of the ACH network (Nacha).
_KNOWN = (
    (r"insufficient|not sufficient|\bnsf\b|uncollected|\br0[19]\b", _NO_FUNDS),
    (r"expired card|card (has )?expired|expiration", _EXPIRED),
    (r"account closed|closed account|no account|unable to locate|\br0[234]\b", _CLOSED),
    (r"unauthorized|revoked|stop payment|\br(05|07|08|10|29)\b", _NOT_ALLOWED),
)


def say_failure(error: str, advice: Advice | None = None) -> tuple[str, str]:
    """
    Return in a customer's words why a payment failed and what to do.

    The gateway's words and codes are for the office (rule 79): they are read and never repeated.
    Where they say nothing known, `advice` does.
    """
    said = re.sub(r"[_-]+", " ", error.lower())
    for signs, words in _KNOWN:
        if re.search(signs, said):
            return words
    return _ADVISED.get(advice, _REFUSED) if advice else _REFUSED
