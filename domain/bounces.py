"""A bounce: the mail system's later no."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum

BOUNCED_BILLS_BEFORE_SUPPRESSION = 3


class BounceKind(StrEnum):
    """What a mail that came back says of the mailbox; `unknown` waits for a person."""

    HARD = "hard"  # not delivered, and never will be
    SOFT = "soft"  # not delivered this time: late, full, away
    UNKNOWN = "unknown"
    COMPLAINT = "complaint"  # it arrived, and the customer called it spam (RFC 5965)


IN_WORDS = "in-words"  # the action of a mail that came back and is no report (RFC 3464)


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    What follows from a bounce.

    `fails`: the mail did not arrive. `suppresses`: the mailbox is written to no more. `alerts`:
    the mail was refused for what it is or for who we are, not for the address: a person must look.
    """

    kind: BounceKind
    fails: bool = False
    suppresses: bool = False
    alerts: bool = False


def delivery_token(key: str) -> str:
    """
    Return what a bounce names its delivery by: 16 lower-case letters and digits, 80 bits.

    Made of the key alone, so that a mail that is sent again bounces to the same place.
    """
    digest = hashlib.sha256(f"bounce/{key}".encode()).digest()
    return base64.b32encode(digest[:10]).decode("ascii").lower()
