"""Faults of the network between the office and the sandbox gateway, for rehearsals of bad days."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol


class Fault(StrEnum):
    """What happens to one call."""

    BEFORE = "before"  # refused before anything happened, and the caller knows
    NEVER = "never"  # lost on the way there: nothing happens, and the caller does not know
    LATE = "late"  # on its way for a while: it happens after the caller has given up
    LOST = "lost"  # it happened, and the answer was lost


class Faults(Protocol):
    """
    Says what happens to each call; may be asked by several threads.

    A lost request or answer to a call that moves no money (prepare, lookup, settlements,
    late_events) shows as a failed call.
    """

    def strike(self, call: str) -> Fault | None:
        """Return what happens to a call of the port of that name; None: it goes well."""
        ...

    def delay(self) -> timedelta:
        """Return how long a LATE request is on its way."""
        ...


class NoFaults:
    """A good day: every call arrives, and every answer too."""

    def strike(self, call: str) -> Fault | None:
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
    rates: Mapping[Fault, float]
    calls: Mapping[str, Mapping[Fault, float]] = field(default_factory=dict)
    delays: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=60),
        timedelta(seconds=500),
    )

    def strike(self, call: str) -> Fault | None:
        drawn = self.chance.random()
        for fault, rate in self.calls.get(call, self.rates).items():
            if drawn < rate:
                return fault
            drawn -= rate
        return None

    def delay(self) -> timedelta:
        return self.chance.choice(self.delays)
