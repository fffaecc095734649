"""Addresses and URLs in settings: one type for each kind, so that each is checked alike."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

LONGEST_URL = 600  # characters: headers that hold it must stay on one line
STANDS_IN = r"http://(127\.0\.0\.1|localhost):\d+"  # for a service, in tests


def is_web_address(text: str) -> bool:
    """Tell what can stand in a header: https, ASCII, without blanks, commas and brackets."""
    return (
        len(text) <= LONGEST_URL
        and bool(re.fullmatch(r"https://[!-~]+", text))
        and not (set(text) & set("<>,\"'"))
    )


def linking(place: str) -> AfterValidator:
    """Make the check of a link that mails carry: empty, or https with `place` in it."""

    def check(value: str) -> str:
        if value and not (is_web_address(value) and place in value):
            raise ValueError(f"write an https:// address with {place} in it")
        return value

    return AfterValidator(check)


def _check_service(value: str) -> str:
    if value and not (is_web_address(value) or re.fullmatch(STANDS_IN, value)):
        raise ValueError("write an https:// address, or http://127.0.0.1:PORT for tests")
    return value


def _check_open(value: str) -> str:
    if value and not is_web_address(re.sub("^http://", "https://", value)):
        raise ValueError("write an https:// or http:// address")
    return value


def _check_mailbox(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}", value):
        raise ValueError("write one plain address such as ann@example.org")
    return value


ServiceUrl = Annotated[str, AfterValidator(_check_service)]  # what money or secrets are sent to
OpenUrl = Annotated[str, AfterValidator(_check_open)]  # what only tells the time
Mailbox = Annotated[str, AfterValidator(_check_mailbox)]
