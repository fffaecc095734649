"""Autopay in words: for the consent, the audit list and whoever is told."""

from __future__ import annotations

from domain.money import Money
from domain.payments import Mandate, MethodKind, PlannedPayment, Unscheduled
from domain.words import say_count
from payments.enrolling_facts import Standing

KINDS = {MethodKind.CARD: "card", MethodKind.ACH: "bank account"}
REASONS = {
    Unscheduled.HELD: "the account is held back in this period",
    Unscheduled.ZERO_BALANCE: "nothing is owed now",
    Unscheduled.OVER_MAXIMUM: "the balance is above the maximum",
    Unscheduled.ALREADY_PROCESSED: "this period's payment was made or asked for already",
}


def say_method(kind: MethodKind | None, last4: str) -> str:
    """Write `card ending 4242`, without any token."""
    return f"{KINDS[kind]} ending {last4}" if kind is not None else "unknown payment method"


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
    method = say_method(agreed.method_kind, agreed.last4)
    maximum = say_maximum(agreed.maximum, agreed.pays_up_to_maximum)
    return f"{method}, {say_days(agreed.days_prior)}, {maximum}"


def say_outcome(planned: PlannedPayment | None) -> str:
    """Say what enrolling brings about (rules 51-58)."""
    if planned is None:
        return "no period of the account is closed yet, the first payment follows the next close"
    if planned.pay_on is None:
        reason = (
            REASONS.get(planned.unscheduled, planned.unscheduled) if planned.unscheduled else ""
        )
        return f"nothing is scheduled, {reason}; the first payment follows the next close"
    if planned.immediate:
        return f"{planned.amount.dollars()} is drawn at once"
    return f"{planned.amount.dollars()} is drawn on {planned.pay_on}"


def consent_values(
    standing: Standing, agreed: Mandate, planned: PlannedPayment | None
) -> dict[str, str]:
    """Return what stands in the places of the consent text."""
    return {
        "utility": standing.utility,
        "account": standing.account,
        "method": say_method(agreed.method_kind, agreed.last4),
        "amount_rule": _amount_rule(agreed),
        "day_rule": say_days(agreed.days_prior),
        "today_rule": say_outcome(planned),
    }


def _amount_rule(agreed: Mandate) -> str:
    whole = "the whole balance due, or the equal-pay amount that was agreed"
    if agreed.maximum is None:
        return whole
    limit = agreed.maximum.dollars()
    if agreed.pays_up_to_maximum:
        return f"{whole}, but {limit} at most of a balance due, and the rest I pay another way"
    return f"{whole}; of a balance due above {limit} nothing is drawn, and I pay it another way"
