"""What the answers of a cash-receipting web service mean for a posting."""

from __future__ import annotations

from typing import Any

import httpx

from cash_receipting.port import Receipt, ServiceDown
from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import Money

MAY_BE_BOOKED = {408, 425, 429}
LENGTH = 200


def read_receipt(answer: httpx.Response, body: Any = None) -> Receipt:
    """
    Read a receipt from an answer; raises OutcomeUnknown where it cannot be read.

    It was booked or not: only a look shows. Whether it is what we sent is for posting to compare.
    """
    try:
        found = answer.json() if body is None else body
        texts = [found[name] for name in ("receipt", "key", "account", "amount")]
        if not all(isinstance(text, str) and text for text in texts):
            raise TypeError
        number, key, account, amount = texts
        return Receipt(number, key, account, Money.parse(amount))
    except (ValueError, KeyError, TypeError):
        raise OutcomeUnknown("cash receipting gave an answer that cannot be read") from None


def refusal_of(answer: httpx.Response) -> TemporaryFailure | PermanentFailure | OutcomeUnknown:
    """
    Return the failure that a status stands for.

    A server's error may have come after the booking: only a 503 that says when to come back
    surely came before. A refused token is no fault of the posting.
    """
    status = answer.status_code
    if status == httpx.codes.SERVICE_UNAVAILABLE and "Retry-After" in answer.headers:
        return ServiceDown("cash receipting is closed for now (503)")
    if status in MAY_BE_BOOKED or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return OutcomeUnknown(f"cash receipting answered {status}")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return ServiceDown(f"cash receipting refuses our token ({status})")
    if status < httpx.codes.BAD_REQUEST:
        return ServiceDown(f"cash receipting sends us elsewhere ({status}); check its address")
    return PermanentFailure(f"cash receipting refused it ({status}): {_reason(answer)}")


def _reason(answer: httpx.Response) -> str:
    """Return the service's own words, cut short and on one line."""
    try:
        said = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return "no reason given"
    words = " ".join(str(said).split())
    return "".join(sign for sign in words if sign.isprintable())[:LENGTH]
