"""What a bank's return of an ACH draw means (Nacha return codes), and how many are too many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from domain.payments import Advice

RATE_WINDOW = timedelta(days=60)  # of the days on which the draws were originated
WARN_AT = Fraction(8, 10)  # of a limit

_ADVICE = {
    Advice.LATER: ("R01", "R09"),
    Advice.NEW_METHOD: ("R02", "R03", "R04", "R12", "R20", "R28"),
    Advice.CUSTOMER_ACTION: ("R08",),  # stopped: only after a new authorization
    Advice.NEVER: ("R05", "R07", "R10", "R29", "R51"),
}
_ADVICE_BY_CODE = {code: advice for advice, codes in _ADVICE.items() for code in codes}
_SUSPENDING = (Advice.NEW_METHOD, Advice.CUSTOMER_ACTION, Advice.NEVER)


def advice_for_return(code: str) -> Advice:
    """Return what a code means for the next draw; what is not in the list a clerk reads first."""
    return _ADVICE_BY_CODE.get(code, Advice.CLERK)


def suspends_method(code: str, *, is_charge_back: bool) -> bool:
    """
    Tell whether nothing may be drawn from the method until the customer has agreed anew.

    Money that was missing once may be there next month; an account that is closed, a stopped or
    an unauthorized draw, and a card holder's dispute would only come back again.
    """
    return is_charge_back or advice_for_return(code) in _SUSPENDING


class ReturnKind(StrEnum):
    """The three rates that Nacha watches."""

    UNAUTHORIZED = "unauthorized"
    ADMINISTRATIVE = "administrative"
    ALL = "all"


_CODES = {
    ReturnKind.UNAUTHORIZED: ("R05", "R07", "R10", "R11", "R29", "R51"),
    ReturnKind.ADMINISTRATIVE: ("R02", "R03", "R04"),
}
LIMITS = {
    ReturnKind.UNAUTHORIZED: Fraction(5, 1000),
    ReturnKind.ADMINISTRATIVE: Fraction(3, 100),
    ReturnKind.ALL: Fraction(15, 100),
}


@dataclass(frozen=True, slots=True)
class ReturnRate:
    """How many of so many ACH draws came back for one kind of reason."""

    kind: ReturnKind
    returned: int
    originated: int

    @property
    def rate(self) -> Fraction:
        return Fraction(self.returned, self.originated) if self.originated else Fraction(0)

    @property
    def limit(self) -> Fraction:
        return LIMITS[self.kind]

    @property
    def is_exceeded(self) -> bool:
        return self.rate > self.limit

    @property
    def is_near(self) -> bool:
        """Tell whether it is time to act: from four fifths of the limit on."""
        return self.rate >= self.limit * WARN_AT


def return_rates(originated: int, returned: Mapping[str, int]) -> tuple[ReturnRate, ...]:
    """Return the three rates, of draws originated in the window and how often each code came."""
    counts = {kind: sum(returned.get(code, 0) for code in codes) for kind, codes in _CODES.items()}
    counts[ReturnKind.ALL] = sum(returned.values())
    return tuple(ReturnRate(kind, counts[kind], originated) for kind in ReturnKind)
