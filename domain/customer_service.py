"""What customer service sees of a portal user, and the reasons for what it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.identity import UserState


class PortalStanding(StrEnum):
    """How an account stands with the portal: the boxes of the search (rules 172, 173)."""

    ENROLLED = "enrolled"
    UNENROLLED = "unenrolled"  # nobody is linked, or whoever was invited has not come yet
    PERMANENT_LOCK = "permanent-lock"
    HIDDEN = "hidden"  # the portal user was deleted


class FoundBy(StrEnum):
    """What of an account the text is a part of; the likeliest first."""

    NUMBER = "account number"
    NAME = "name"
    ADDRESS = "address"
    EMAIL = "e-mail"
    PHONE = "phone"
    METER = "meter"
    PORTAL_USER = "portal user"
    LANDLORD = "landlord"
    CONFIRMATION = "confirmation"
    LAST_4 = "last 4"


LOOKED_AT_FIRST = frozenset({PortalStanding.ENROLLED, PortalStanding.UNENROLLED})
STANDING_OF = {
    UserState.ACTIVE: PortalStanding.ENROLLED,
    UserState.INVITED: PortalStanding.UNENROLLED,
    UserState.UNVERIFIED: PortalStanding.UNENROLLED,
    UserState.LOCKED: PortalStanding.PERMANENT_LOCK,
    UserState.DELETED: PortalStanding.HIDDEN,
}


class LockReason(StrEnum):
    """Why a portal user is locked (rule 157); a deactivation is one that they ask for (162)."""

    COMPROMISED = "compromised"
    MISUSE = "misuse"
    OPTED_OUT = "opted-out"
    OTHER = "other"


class UnlockReason(StrEnum):
    """Why a portal user is let in again (rules 157, 163)."""

    SAFE_AGAIN = "safe-again"
    FAILED_SIGN_INS = "failed-sign-ins"
    OPTED_IN = "opted-in"
    OTHER = "other"


class AutopayOnLock(StrEnum):
    """What becomes of the autopay of somebody who is locked (ruling 11)."""

    KEEP = "keep"
    END = "end"


@dataclass(frozen=True, slots=True)
class StaffAct:
    """Who of staff does something to a portal user, and why; `note` holds no personal data."""

    by: str
    reason: str
    note: str = ""

    @property
    def detail(self) -> str:
        return f"{self.reason}: {self.note}" if self.note else self.reason


@dataclass(frozen=True, slots=True)
class CustomerSearch:
    """What is looked for: words that all have to be found, a person ID, districts, standings."""

    words: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()  # the same with their punctuation, as addresses have it
    number: int | None = None
    district: str = ""
    standings: frozenset[PortalStanding] = LOOKED_AT_FIRST


@dataclass(frozen=True, slots=True)
class CustomerFound:
    """One account with one of its portal users; either may be missing."""

    account_key: str
    account: str
    name: str
    service_address: str
    district: str
    standing: PortalStanding
    user: int | None = None
    address: str = ""
    state: UserState | None = None


@dataclass(frozen=True, slots=True)
class CustomersFound:
    """What a search found, by account number; `is_cut` says that there are more."""

    rows: tuple[CustomerFound, ...]
    elsewhere: int  # rows of standings that were not looked at
    is_cut: bool
