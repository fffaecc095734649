"""What asks a browser for a sign that a person sits before it, and judges the answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class BotCheckKind(StrEnum):
    NONE = "none"
    ALTCHA = "altcha"  # a proof of work, of our own; nobody else hears of it
    TURNSTILE = "turnstile"  # Cloudflare's, whose script the page loads


@dataclass(frozen=True, slots=True)
class BotQuestion:
    """
    What a page asks with: `script` is what it loads, `values` stand on the asking element.

    `field` is the form's field that the answer comes in. `elsewhere` is where the script is of
    and what it shows, for the page's policy (CSP); empty: all of it is ours.
    """

    kind: BotCheckKind
    script: str = ""
    field: str = ""
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class BotVerdict:
    """
    What an answer proves; `once` names it: it counts once, for one guest.

    Empty: nothing was proved, or there was nothing to prove.
    """

    is_person: bool
    once: str = ""
    good_until: datetime | None = None  # the last moment at which the same answer would be good


class BotCheck(Protocol):
    """
    One way of checking; `verify` raises TemporaryFailure where nobody can say now.

    Then nobody is let in: a check that is open while its service is down is none, since whoever
    wants to get past it can bring that about.
    """

    def ask(self, now: datetime) -> BotQuestion: ...

    def verify(self, answer: str, now: datetime) -> BotVerdict: ...


class NoBotCheck:
    """Asks nothing, and takes everybody for a person."""

    def ask(self, now: datetime) -> BotQuestion:
        return BotQuestion(BotCheckKind.NONE)

    def verify(self, answer: str, now: datetime) -> BotVerdict:
        return BotVerdict(is_person=True)
