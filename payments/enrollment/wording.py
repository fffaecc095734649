"""Autopay in words: for the consent, the audit list and whoever is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from domain.failures import Misuse
from domain.languages import ENGLISH, SPANISH, say_day
from domain.money import Money
from domain.payment_methods import say_method
from domain.payments import Mandate, PlannedPayment, Unscheduled
from domain.words import say_count
from payments.enrollment import spanish
from payments.enrollment.facts import EnrollmentFacts

_OURS = {
    ENGLISH: Path(__file__).with_name("consent.txt"),
    SPANISH: Path(__file__).with_name("consent_es.txt"),
}
_IN_SPANISH = "-es"  # how the version of a text in Spanish ends
_VERSION = re.compile(r"Version: *(\S{1,40})")
_NAME = re.compile(r"\{(\w*)\}")
# Without these nobody could tell later what was agreed.
NEEDED = frozenset({"account", "method", "amount_rule", "day_rule", "today_rule"})
KNOWN = NEEDED | {"utility"}


@dataclass(frozen=True, slots=True)
class Consent:
    """
    A text with places for the customer's own choices; kept whole with each mandate.

    A version that ends with `-es` is in Spanish, and so is what stands in its places.
    """

    version: str
    wording: str

    @property
    def language(self) -> str:
        return SPANISH if self.version.endswith(_IN_SPANISH) else ENGLISH

    def fill(self, values: Mapping[str, str]) -> str:
        return _NAME.sub(lambda name: values[name[1]], self.wording)


def read_consent(own: Path, language: str = ENGLISH) -> Consent:
    """
    Read the office's text where it has one, else ours in a language that customers read.

    Its first line is its version; raises Misuse where that is missing, or where the text has an
    unknown place or lacks one that says what is agreed.
    """
    return _read(own if own.is_file() else _OURS[language])


@cache
def _read(file: Path) -> Consent:
    try:
        first, _, wording = file.read_text(encoding="utf-8").partition("\n")
    except UnicodeDecodeError:
        raise Misuse(f"{file} is not UTF-8; save it again as that.", "consent") from None
    version = _VERSION.fullmatch(first.strip())
    if version is None:
        raise Misuse(f"{file}: its first line must be `Version: NAME`.", "consent")
    places = set(_NAME.findall(wording))
    if places - KNOWN:
        known = ", ".join(sorted(KNOWN))
        raise Misuse(f"{file}: only these may stand in braces: {known}.", "consent")
    if NEEDED - places:
        missing = ", ".join(f"{{{name}}}" for name in sorted(NEEDED - places))
        raise Misuse(f"{file} must say {missing}: it is what is agreed.", "consent")
    return Consent(version[1], wording.strip())


REASONS = {
    Unscheduled.HELD: "the account is held back in this period",
    Unscheduled.ACCOUNT_CLOSED: "the account is closed",
    Unscheduled.DIRECT_PAY: "the office draws the bill by direct pay",
    Unscheduled.METHOD_BLOCKED: "the account may not be paid with that payment method",
    Unscheduled.METHOD_MISSING: "the payment method is not known any more",
    Unscheduled.ZERO_BALANCE: "nothing is owed now",
    Unscheduled.ARRANGED: "all that is owed is in a payment arrangement",
    Unscheduled.OVER_MAXIMUM: "the balance is above the maximum",
    Unscheduled.AFTER_DUE_DATE: "the due date has passed",
    Unscheduled.ALREADY_PROCESSED: "this period's payment was made or asked for already",
}


def say_maximum(maximum: Money | None, pays_up_to: bool | None) -> str:
    if maximum is None:
        return "no maximum"
    above = {True: ", that much above it", False: ", nothing above it", None: ""}[pays_up_to]
    return f"maximum {maximum.dollars()}{above}"


def say_days(days_prior: int) -> str:
    return (
        f"{say_count(days_prior, 'day')} before the due date" if days_prior else ("on the due date")
    )


def say_mandate(agreed: Mandate) -> str:
    """Say what was agreed in one line for the audit list."""
    method = say_method(agreed.method_kind, agreed.last4, agreed.brand)
    maximum = say_maximum(agreed.maximum, agreed.pays_up_to_maximum)
    return f"{method}, {say_days(agreed.days_prior)}, {maximum}"


def say_outcome(
    planned: PlannedPayment | None, write_day: Callable[[date], str] = date.isoformat
) -> str:
    """Say what enrolling brings about (rules 51-58); customers read days in words."""
    if planned is None:
        return "no period of the account is closed yet, the first payment follows the next close"
    if planned.pay_on is None:
        why = f", {REASONS[planned.unscheduled]}" if planned.unscheduled else ""
        return f"nothing is scheduled{why}; the first payment follows the next close"
    if planned.immediate:
        return f"{planned.amount.dollars()} is drawn at once"
    return f"{planned.amount.dollars()} is drawn on {write_day(planned.pay_on)}"


def consent_values(
    standing: EnrollmentFacts,
    agreed: Mandate,
    planned: PlannedPayment | None,
    language: str = ENGLISH,
) -> dict[str, str]:
    """Return what stands in the places of a consent text of that language."""
    whose = {
        "utility": standing.utility,
        "account": standing.account,
        "method": say_method(agreed.method_kind, agreed.last4, agreed.brand, language),
    }
    if language == SPANISH:
        return whose | {
            "amount_rule": spanish.say_amount_rule(agreed),
            "day_rule": spanish.say_days(agreed.days_prior),
            "today_rule": spanish.say_outcome(planned),
        }
    return whose | {
        "amount_rule": _amount_rule(agreed),
        "day_rule": say_days(agreed.days_prior),
        "today_rule": say_outcome(planned, say_day),
    }


def _amount_rule(agreed: Mandate) -> str:
    whole = "the whole balance due, or the equal-pay amount that was agreed"
    if agreed.maximum is None:
        return whole
    limit = agreed.maximum.dollars()
    if agreed.pays_up_to_maximum:
        return f"{whole}, but {limit} at most of a balance due, and the rest I pay another way"
    return f"{whole}; of a balance due above {limit} nothing is drawn, and I pay it another way"
