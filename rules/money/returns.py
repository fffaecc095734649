"""What a bank's return of an ACH draw means (Nacha return codes), and how many are too many."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from domain.payments import Advice, MethodKind
from rules.calendars import ONE_DAY, next_working_day

MOST_AGAIN = 2  # times that Nacha lets a returned debit be drawn again
AGAIN_WITHIN = timedelta(days=180)  # of the first draw
RATE_WINDOW = timedelta(days=60)  # of the days on which the draws were originated
WARN_AT = Fraction(8, 10)  # of a limit

_ADVICE = {
    Advice.LATER: ("R01", "R09"),  # not enough money, or not yet collected
    Advice.NEW_METHOD: ("R02", "R03", "R04", "R12", "R13", "R20", "R28"),
    Advice.CUSTOMER_ACTION: ("R08",),  # stopped: only after a new authorization
    Advice.NEVER: ("R05", "R07", "R10", "R29", "R51"),
}
_ADVICE_BY_CODE = {code: advice for advice, codes in _ADVICE.items() for code in codes}
FEE_CODES = ("R01", "R09")  # by default: returns that the customer could have avoided
# Between the banks alone: a wrong return that was asked back or refused, a settlement that failed.
_NOTHING_WRONG = ("R06", "R32", *(f"R{number}" for number in range(61, 86)))

# What each code says, short enough for a cell of a list; a code of another kind says itself.
MEANINGS = {
    "R01": "not enough money",
    "R02": "account closed",
    "R03": "no account of that number and name",
    "R04": "no valid account number",
    "R05": "a consumer's account drawn on as a firm's, unauthorized",
    "R06": "sent back as the office's bank asked",
    "R07": "authorization revoked",
    "R08": "stop payment by the customer",
    "R09": "money there not yet collected",
    "R10": "unauthorized",
    "R11": "not as the customer authorized it",
    "R12": "account moved to another bank",
    "R13": "no valid routing number",
    "R14": "whoever acts for the account's owner has died or can no longer act",
    "R15": "the account's owner has died",
    "R16": "account frozen",
    "R17": "the bank cannot use the entry as it stands",
    "R20": "an account that cannot be drawn on",
    "R21": "company number not valid",
    "R22": "customer's number not valid",
    "R23": "refused by who was to get it",
    "R24": "a duplicate, says the bank",
    "R28": "routing number with a wrong check digit",
    "R29": "unauthorized, of a firm",
    "R31": "sent back late, as both banks agreed",
    "R32": "the bank cannot settle",
    "R51": "unauthorized draw for a check that bounced",
    "do_not_honor": "the card's bank gives no reason",
    "generic_decline": "the card's bank gives no reason",
    "card_declined": "the card's bank gives no reason",
    "pickup_card": "the card is lost, stolen or withdrawn",
    "merchant_blacklist": "the card is on the gateway's block list",
    "reenter_transaction": "the card's bank asks for another try",
}


def say_reason(code: str) -> str:
    """Write the code of a bank with what it means: `R01 (not enough money)` (rule 79)."""
    meaning = MEANINGS.get(code)
    return f"{code} ({meaning})" if meaning else code


def advice_for_return(code: str) -> Advice:
    """Return what a code means for the next draw; what is not in the list a clerk reads first."""
    return _ADVICE_BY_CODE.get(code, Advice.CLERK)


def suspends_method(code: str, *, is_charge_back: bool) -> bool:
    """
    Tell whether nothing may be drawn from the method until the customer has agreed anew.

    Money that was missing once may be there next month. An account that is closed or frozen
    (R16), a holder who has died (R14, R15), a stopped or an unauthorized draw, and a card holder's
    dispute would only come back again. What was not as authorized (R11), what its bank calls a
    duplicate (R24) or sends back by agreement (R31), and whatever else a clerk reads first
    suspends as well, until the clerk has read why and lifts it.
    """
    wants_money_only = advice_for_return(code) is Advice.LATER
    return is_charge_back or not (wants_money_only or code in _NOTHING_WRONG)


@dataclass(frozen=True, slots=True)
class AgainPolicy:
    """How often a returned draw is drawn again, and how many banking days after it came back."""

    times: int = 1
    banking_days: int = 5


def again_on(
    code: str,
    kind: MethodKind,
    number: int,
    *,
    first_on: date,
    today: date,
    closed: Container[date],
    policy: AgainPolicy,
) -> date | None:
    """
    Return the banking day on which a returned draw is drawn again; None where it is not.

    Nacha lets only what came back for want of money (R01, R09) be drawn again, twice at most and
    within 180 days of the first; any other return would only come back, or breaks a rule.
    `number` is 1 for the first draw of the amount, `first_on` its local day.
    """
    is_allowed = kind is MethodKind.ACH and advice_for_return(code) is Advice.LATER
    if not is_allowed or number > min(policy.times, MOST_AGAIN):
        return None
    chosen = today
    for _ in range(policy.banking_days):
        chosen = next_working_day(chosen + ONE_DAY, closed)
    return chosen if chosen <= first_on + AGAIN_WITHIN else None


class ReturnKind(StrEnum):
    """The three rates that Nacha watches."""

    UNAUTHORIZED = "unauthorized"
    ADMINISTRATIVE = "administrative"
    ALL = "all"


CODES = {
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
    counts = {kind: sum(returned.get(code, 0) for code in codes) for kind, codes in CODES.items()}
    counts[ReturnKind.ALL] = sum(returned.values())
    return tuple(ReturnRate(kind, counts[kind], originated) for kind in ReturnKind)
