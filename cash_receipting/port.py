"""What the office needs of its cash-receipting system, which is sometimes down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from domain.failures import TemporaryFailure
from domain.money import Money
from domain.payments import MethodKind, PostingKind


class ServiceDown(TemporaryFailure):
    """The service does not answer: the next posting would fare no better."""


@dataclass(frozen=True, slots=True)
class PostingRequest:
    """
    One entry for cash receipting.

    `key` is made of business facts and searchable there; `confirmation` is the gateway's number,
    the same on both sides (rule 78). A reversal names the receipt it takes back in `reverses`.
    `amount` is positive in every kind. `taken_on` is a local date. `distribution` is the code of
    what else than an account was paid (rule 191); `account` is the number that was given, or that
    code.
    """

    key: str
    kind: PostingKind
    account: str
    amount: Money
    method_kind: MethodKind
    confirmation: str
    taken_on: date
    reverses: str | None = None  # the receipt number
    distribution: str = ""
    payor: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Cash receipting's own number of a posting, and what it has under it."""

    number: str
    key: str
    account: str
    amount: Money


class CashReceipting(Protocol):
    """
    Books receipts.

    Raises ServiceDown (a TemporaryFailure: surely nothing was booked, and the next one would fare
    no better), PermanentFailure for a posting it refuses for good, OutcomeUnknown where it may
    have booked it.
    """

    name: str
    keeps_keys: bool  # posted again under the same key, it answers as before
    longest_in_flight: timedelta  # so long a posting that is not found may still arrive

    def post(self, request: PostingRequest) -> Receipt | None:
        """Enter a posting and return its receipt (rule 85); None where it comes later: find it."""
        ...

    def hand_over(self) -> None:
        """Hand on what was posted since the last time, where that goes in files."""
        ...

    def find(self, request: PostingRequest) -> Receipt | None:
        """Look a posting up by its key; None where it is not there now."""
        ...

    def check_health(self) -> None:
        """Raise ServiceDown where the service does not answer; costs it nothing."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
