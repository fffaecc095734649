"""The form of autopay: what the customer asks for, read from what was typed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from domain.identity import mailbox_of
from domain.money import ZERO, Money
from identity.wallet import SavedMethod
from payments.enrollment.enrolling import EnrollmentRequest, Offer
from rules.money.autopay import MOST_DAYS_PRIOR, OverMaximum
from web.visits import Visit

DAYS = (
    "Enter how many days before the due date we draw the payment: a whole number from 0 to "
    "%(most)s."
)
MAXIMUM = "Enter an amount such as 150.00, or leave it empty for no maximum."
METHOD = "Choose the payment method that autopay draws from."


@dataclass(frozen=True, slots=True)
class AutopayWish:
    """What was asked for, if nothing is wrong; `problems` says what is, field by field."""

    request: EnrollmentRequest | None
    problems: dict[str, str]


def read_wish(visit: Visit, account: str, payer: str, usable: list[SavedMethod]) -> AutopayWish:
    """
    Read the form (rules 48, 50, 70; ruling 3); the method is one of `usable` alone.

    `payer` is the address of whose wallet those are.
    """
    problems: dict[str, str] = {}
    days = _days(visit, problems)
    maximum = _maximum(visit, problems)
    method = next((one for one in usable if one.key == visit.text("method")), None)
    if method is None:
        problems["method"] = visit.say(METHOD)
    if method is None or problems:
        return AutopayWish(None, problems)
    request = EnrollmentRequest(
        account,
        mailbox_of(payer),
        method.token,
        days,
        maximum,
        None if maximum is None else _pays_up_to(visit),
    )
    return AutopayWish(request, problems)


def _days(visit: Visit, problems: dict[str, str]) -> int:
    said = visit.text("days")
    if not (said.isascii() and said.isdigit() and len(said) <= 3 and int(said) <= MOST_DAYS_PRIOR):
        problems["days"] = visit.say(DAYS, most=MOST_DAYS_PRIOR)
        return 0
    return int(said)


def _maximum(visit: Visit, problems: dict[str, str]) -> Money | None:
    said = visit.text("maximum")
    if not said:
        return None
    try:
        maximum = Money.parse(said)
    except ValueError:
        maximum = ZERO
    if not ZERO < maximum < Money(100_000_000):
        problems["maximum"] = visit.say(MAXIMUM)
    return maximum


def _pays_up_to(visit: Visit) -> bool:
    """Return the customer's own choice above the maximum, else the office's."""
    said = visit.text("above")
    if said in ("skip", "cap"):
        return said == "cap"
    return visit.office.autopay_policy.over_maximum is OverMaximum.CAP


def seal_of(offer: Offer) -> str:
    """
    Return what stands for all that an offer's page shows.

    The yes brings it back: where anything differs by then, it is shown again and not done.
    """
    planned = offer.planned
    shown = (
        offer.consent_version,
        offer.consent_text,
        offer.method.token,
        offer.mandate.days_prior,
        offer.mandate.maximum,
        offer.mandate.pays_up_to_maximum,
        offer.outcome,
        offer.over_maximum,
        planned and (planned.amount, planned.pay_on, planned.unscheduled),
    )
    return hashlib.sha256(repr(shown).encode()).hexdigest()
