"""What `billclose autopay` says: figures for programs, lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from domain.money import Money
from domain.words import say_code
from payments.enrollment.wording import say_mandate, say_outcome
from reporting.lists.catalog import LISTS
from reporting.lists.reading import shown_rows

if TYPE_CHECKING:
    from database.books import Database
    from domain.payments import Mandate
    from payments.enrollment.ending import Ended, Reinstated
    from payments.enrollment.enrolling import Offer
    from payments.enrollment.facts import EnrollmentFacts


def enrollment_figures(offer: Offer) -> dict[str, Any]:
    planned = offer.planned
    is_drawn = planned is not None and planned.pay_on is not None
    return {
        "account": offer.standing.account,
        **_period(offer.standing),
        "outcome": offer.outcome.value,
        "pay_date": _text(planned.pay_on if planned else None),
        "amount": str(planned.amount) if planned and is_drawn else None,
        "reason": planned.unscheduled if planned else "no-closed-period",
        "over_maximum": offer.over_maximum,
        "linked": offer.is_linked,
        "mandate": _mandate(offer.mandate),
        "consent_version": offer.consent_version,
    }


def enrollment_lines(offer: Offer) -> list[str]:
    """What is shown before the yes: the consent text, what happens now, and what to tell."""
    standing = offer.standing
    lines = [offer.consent_text, ""]
    if standing.due_on is not None:
        balance = standing.payable.balance.dollars()
        lines.append(f"Period {standing.period}, due {standing.due_on}, open {balance}.")
    if offer.over_maximum and offer.mandate.maximum is not None:
        limit = offer.mandate.maximum.dollars()
        lines.append(
            f"The open balance is above the maximum of {limit}: tell the customer, who pays the "
            f"{'rest' if offer.mandate.pays_up_to_maximum else 'bill'} another way."
        )
    if not offer.is_linked:
        lines.append("That portal user is not linked to the account: be sure who pays.")
    return [*lines, f"Enrolling now: {say_outcome(offer.planned)}."]


def ended_figures(ended: Ended, consequence: str) -> dict[str, Any]:
    stands = ended.stands
    return {
        "status": "cancelled",
        "account": ended.standing.account,
        "mandate": _mandate(ended.mandate),
        "dropped": [
            {"period": one.period, "pay_date": _text(one.pay_on), "amount": str(one.amount)}
            for one in ended.taken_off
        ],
        "stands": stands
        and {
            "period": ended.standing.period,
            "pay_date": _text(stands.pay_on),
            "amount": str(stands.amount),
            "state": stands.state.value,
        },
        "consequence": consequence,
    }


def ended_lines(ended: Ended) -> list[str]:
    lines = [f"Autopay of account {ended.standing.account} has ended."]
    lines += [
        f"Off the schedule: {one.amount.dollars()} on {one.pay_on}, period {one.period}."
        for one in ended.taken_off
    ]
    if ended.stands is not None:
        lines.append(
            f"The payment of {ended.stands.amount.dollars()} was asked for already "
            f"({say_code(ended.stands.state)}) and stands."
        )
    return lines


def standing_figures(standing: EnrollmentFacts, consequence: str) -> dict[str, Any]:
    payment = standing.payment
    waits = payment if payment is not None and payment.waits else None
    return {
        "account": standing.account,
        "enrolled": standing.mandate is not None,
        "taken_down_by": _source(standing),
        "mandate": None if standing.mandate is None else _mandate(standing.mandate),
        **_period(standing),
        "next_payment": waits and {"pay_date": _text(waits.pay_on), "amount": str(waits.amount)},
        "consequence": consequence,
    }


def standing_lines(standing: EnrollmentFacts, consequence: str) -> list[str]:
    agreed, payment = standing.mandate, standing.payment
    if agreed is None:
        lines = [f"Account {standing.account} is not enrolled."]
    else:
        since = f"since {agreed.enrolled_on} ({_source(standing)})"
        lines = [f"Account {standing.account} is enrolled {since}: {say_mandate(agreed)}."]
    if standing.due_on is not None:
        balance = standing.payable.balance.dollars()
        lines.append(f"Period {standing.period}, due {standing.due_on}, open {balance}.")
    if payment is not None and payment.waits:
        lines.append(f"Next payment: {payment.amount.dollars()} on {payment.pay_on}.")
    elif agreed is not None:
        lines.append("Next payment: after the next close.")
    return [*lines, consequence] if consequence else lines


def reinstated_figures(found: list[Reinstated]) -> dict[str, Any]:
    methods = [
        {"method": one.method, "suspended": one.why, "other_accounts": list(one.others)}
        for one in found
    ]
    return {"status": "reinstated", "account": found[0].account, "methods": methods}


def reinstated_lines(found: list[Reinstated]) -> list[str]:
    lines = []
    for one in found:
        lines.append(
            f"Account {one.account} pays by its {one.method} again, from the next close on; it was "
            f"suspended since {one.since}, {one.why}."
        )
        if one.others:
            lines.append(f"It pays for further accounts, too: {', '.join(one.others)}.")
    return lines


def list_payments(database: Database, key: str) -> list[dict[str, Any]]:
    """List the payments of one account with the office's statuses (rules 75, 78-80)."""
    listing = LISTS["scheduled-payments"]
    listed = listing.select().subquery()
    mine = sa.select(listed).where(listed.c["_account_key"] == key)
    ordered = mine.order_by(*(listed.c[column] for column in listing.order))
    with database.reading() as books:
        return list(shown_rows(books.execute(ordered)))


def _period(standing: EnrollmentFacts) -> dict[str, Any]:
    is_billed = standing.period is not None
    return {
        "period": standing.period,
        "due_date": _text(standing.due_on),
        "open_balance": str(standing.payable.balance) if is_billed else None,
    }


def _mandate(agreed: Mandate) -> dict[str, Any]:
    """Show kind and last four digits, as the office's list does (rule 65); never the token."""
    return {
        "method": agreed.method_kind and agreed.method_kind.value,
        "last4": agreed.last4,
        "enrolled_on": _text(agreed.enrolled_on),
        "days_prior": agreed.days_prior,
        "maximum": _amount(agreed.maximum),
        "pays_up_to_maximum": agreed.pays_up_to_maximum,
    }


def _source(standing: EnrollmentFacts) -> str:
    if standing.mandate is None:
        return ""
    return "portal" if standing.enrollment_id is None else "office"


def _amount(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)


def _text(day: Any) -> str | None:
    return None if day is None else day.isoformat()
