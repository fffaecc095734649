"""What the office needs of whatever takes down a card or bank account: never its number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from domain.payments import MethodKind

ALL_KINDS = tuple(MethodKind)


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """
    One visit to the gateway's page, on which a customer gives a card or a bank account.

    `key` is ours and random: asked again under the same key it is the same visit. `returns_to` is
    where the page leads afterwards, whatever came of it. The page offers `kinds` and no other.
    """

    key: str
    customer: str  # `customer 17`: never an address
    returns_to: str
    payer: str = field(default="", repr=False)  # whom the gateway made of the customer before
    kinds: tuple[MethodKind, ...] = ALL_KINDS


@dataclass(frozen=True, slots=True)
class CapturePage:
    """Where the customer is sent, and the gateway's own reference of the visit."""

    url: str = field(repr=False)
    reference: str
    payer: str = field(default="", repr=False)  # whom the gateway made of the customer


@dataclass(frozen=True, slots=True)
class CapturedMethod:
    """What came of it: a token that can be drawn from, and what may be shown of it."""

    token: str = field(repr=False)
    kind: MethodKind
    last4: str
    brand: str = ""
    expires_on: date | None = None  # the last day on which a card is good
    mandate: str = ""  # the gateway's number of what was agreed to for a bank account
    agreed_at: datetime | None = None


class MethodCapture(Protocol):
    """
    Takes down payment methods on a page of the gateway's, so that no number passes through us.

    Both methods raise TemporaryFailure where it may be tried again and PermanentFailure where it
    will not help; no money moves in either.
    """

    def begin(self, request: CaptureRequest) -> CapturePage:
        """Prepare the page of one visit."""
        ...

    def finish(self, key: str, reference: str) -> CapturedMethod | None:
        """Return what was given on the page, the same again each time; None: nothing yet."""
        ...


@runtime_checkable
class TellsOfVisits(Protocol):
    """A page that tells by webhook of a visit that ended, whether or not its browser came back."""

    def told_visit(self, body: bytes, signature: str) -> str:
        """Return the key of the visit; empty for another event. Raises Refused where unsigned."""
        ...
