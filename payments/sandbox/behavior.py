"""What the sandbox gateway's tokens do: each one stands for a customer of a certain kind."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from payments.port import ADVICE, LateEventKind
from payments.sandbox.test_methods import behaving


class GatewayFault(StrEnum):
    """What happens to one call."""

    BEFORE = "before"  # refused before anything happened, and the caller knows
    NEVER = "never"  # lost on the way there: nothing happens, and the caller does not know
    LATE = "late"  # on its way for a while: it happens after the caller has given up
    LOST = "lost"  # it happened, and the answer was lost


class GatewayFaults(Protocol):
    """
    Says what happens to each call; may be asked by several threads.

    A lost request or answer to a call that moves no money (prepare, lookup, settlements,
    late_events) shows as a failed call.
    """

    def strike(self, call: str) -> GatewayFault | None:
        """Return what happens to a call of the port of that name; None: it goes well."""
        ...

    def delay(self) -> timedelta:
        """Return how long a LATE request is on its way."""
        ...


class NoFaults:
    """A good day: every call arrives, and every answer too."""

    def strike(self, call: str) -> GatewayFault | None:
        return None

    def delay(self) -> timedelta:
        return timedelta()


@dataclass
class SeededFaults:
    """
    Faults that come by chance, the same ones for the same seed.

    `rates` gives the chance of each fault between 0 and 1; `calls` may give some calls other
    rates. One generator serves all threads: its order is theirs.
    """

    chance: random.Random
    rates: Mapping[GatewayFault, float]
    calls: Mapping[str, Mapping[GatewayFault, float]] = field(default_factory=dict)
    delays: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=60),
        timedelta(seconds=500),
    )

    def strike(self, call: str) -> GatewayFault | None:
        drawn = self.chance.random()
        for fault, rate in self.calls.get(call, self.rates).items():
            if drawn < rate:
                return fault
            drawn -= rate
        return None

    def delay(self) -> timedelta:
        return self.chance.choice(self.delays)


RETURN_DAYS = 2  # where a token names no day: most returns come by the second banking day
_FIXED = re.compile(
    r"tok_(?P<name>ok|ach_ok|ach_savings_ok|bank_asks|lost_response|never_arrives|500_replayed)|"
    r"tok_ok_after_(?P<declines>[0-9]{1,3})|"
    r"tok_arrives_late_(?P<seconds>[0-9]{1,6})s|"
    r"tok_ach_(?P<returned>R[0-9]{2})(?:_d(?P<return_days>[0-9]{1,3}))?|"
    r"tok_ach_noc_(?P<change>C[0-9]{2})(?:_d(?P<change_days>[0-9]{1,3}))?|"
    r"tok_(?P<refund>refunded)(?:_d(?P<refund_days>[0-9]{1,3}))?|"
    r"tok_chargeback(?:_d(?P<chargeback_days>[0-9]{1,3}))?(?:_won_d(?P<won_days>[0-9]{1,3}))?"
)


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """A late event that a draw brings so many days after it; `code` is R01, C01, a reason."""

    kind: LateEventKind
    code: str
    after: timedelta


@dataclass(frozen=True, slots=True)
class Behavior:
    """
    What the sandbox does with a draw; without anything said, it approves.

    `declines_first` counts declines of the same method and account before it approves.
    """

    decline: str = ""
    declines_first: int = 0
    delay: timedelta | None = None  # the request is so long on its way, the caller gives up
    never_arrives: bool = False
    loses_answer: bool = False  # of the first asking; asked again, it answers
    breaks: bool = False  # it draws, and answers every asking with a server error
    asks_customer: bool = False  # the bank wants a yes on its own page (3-D Secure)
    later: tuple[PlannedEvent, ...] = ()

    def fault(self, is_new: bool) -> GatewayFault | None:
        """Return what happens to the asking; what was drawn before is answered."""
        if self.never_arrives:
            return GatewayFault.NEVER
        if is_new and self.delay is not None:
            return GatewayFault.LATE
        return GatewayFault.LOST if is_new and self.loses_answer else None


def behavior_of(token: str) -> Behavior:
    """Return what a token does; one that the sandbox does not know is an ordinary success."""
    token = behaving(token)
    declined = token.removeprefix("tok_")
    if token.startswith("tok_") and declined in ADVICE:
        return Behavior(decline=declined)
    found = _FIXED.fullmatch(token)
    if found is None:
        return Behavior()
    return _named(found["name"]) if found["name"] else _with_figures(found.groupdict())


def is_special(token: str) -> bool:
    """Tell whether a token steers the sandbox, so that it is nobody's and may be kept."""
    token = behaving(token)
    return token.removeprefix("tok_") in ADVICE or _FIXED.fullmatch(token) is not None


def method_of(token: str) -> str:
    """Return what the sandbox keeps of a token: a special one, else its hash and not the token."""
    return token if is_special(token) else hashlib.sha256(token.encode()).hexdigest()


def _named(name: str) -> Behavior:
    return Behavior(
        loses_answer=name == "lost_response",
        never_arrives=name == "never_arrives",
        breaks=name == "500_replayed",
        asks_customer=name == "bank_asks",
    )


def _with_figures(found: dict[str, str | None]) -> Behavior:
    if found["declines"]:
        return Behavior(declines_first=int(found["declines"]))
    if found["seconds"]:
        return Behavior(delay=timedelta(seconds=int(found["seconds"])))
    if found["returned"]:
        days = _days(found["return_days"])
        return Behavior(later=(PlannedEvent(LateEventKind.RETURNED, found["returned"], days),))
    if found["change"]:
        days = _days(found["change_days"])
        return Behavior(later=(PlannedEvent(LateEventKind.CHANGE, found["change"], days),))
    if found["refund"]:
        days = _days(found["refund_days"])
        return Behavior(
            later=(PlannedEvent(LateEventKind.REFUNDED, "requested_by_customer", days),)
        )
    disputed = PlannedEvent(
        LateEventKind.CHARGED_BACK, "fraudulent", _days(found["chargeback_days"])
    )
    if not found["won_days"]:
        return Behavior(later=(disputed,))
    won = PlannedEvent(LateEventKind.REINSTATED, "won", _days(found["won_days"]))
    return Behavior(later=(disputed, won))


def _days(written: str | None) -> timedelta:
    return timedelta(days=int(written) if written else RETURN_DAYS)
