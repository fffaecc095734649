"""Payments in doubt, and giving a payment back."""

from __future__ import annotations

from domain.failures import Misuse, Refused
from domain.money import Money
from office.procedures.doubts import find_doubt
from office.procedures.posting import tell_office
from payments.outcomes import unknown_payments as desk
from payments.outcomes.refunding import refund_payment, say_given_back_before
from web.office.decisions.deciding import DecidedRow, Facts, RowDecision, Way
from web.office.pages import page_of
from web.visits import Visit


def _decision(visit: Visit, decided: DecidedRow) -> desk.PaymentDecision:
    office = visit.office
    return desk.PaymentDecision(office.who, decided.reason, office.due_now(), office.autopay_terms)


def _agreed(visit: Visit, decided: DecidedRow) -> None:
    office = visit.office
    doubt = find_doubt(office, decided.key)
    desk.decide_agreed(office.database, office.gateway, doubt, _decision(visit, decided))


def _approved(visit: Visit, decided: DecidedRow) -> None:
    office, decision = visit.office, _decision(visit, decided)
    desk.decide_approved(office.database, office.gateway, decided.key, decided.detail, decision)


def _never_arrived(visit: Visit, decided: DecidedRow) -> None:
    office, decision = visit.office, _decision(visit, decided)
    desk.decide_never_arrived(office.database, office.gateway, decided.key, decision)


def _given_back(visit: Visit, decided: DecidedRow) -> None:
    desk.decide_given_back(visit.office.database, decided.key, _decision(visit, decided))


def _what_each_says(visit: Visit, key: str) -> Facts:
    """Ask the gateway and cash receipting, now."""
    try:
        doubt = find_doubt(visit.office, key)
    except Misuse:
        return ()
    agreed = "both say the same" if doubt.agreed else "they do not agree"
    return (
        ("The gateway says", f"{doubt.gateway} {doubt.reference or ''}".strip()),
        ("Cash receipting has", doubt.receipt),
        ("Together", agreed),
    )


def _give_back(visit: Visit, decided: DecidedRow) -> None:
    office = visit.office
    done = refund_payment(
        office.database,
        office.gateway,
        decided.key,
        _to_amount(decided.detail),
        decided.reason,
        office.due_now(),
        office.autopay_terms,
    )
    if done.already:
        raise Refused("refund-known", say_given_back_before(decided.key, done))
    tell_office(office)


def _to_amount(typed: str) -> Money | None:
    if not typed:
        return None
    try:
        return Money.parse(typed)
    except ValueError:
        raise Misuse(f"{typed} is no amount such as 40.00; nothing was given back.") from None


PAYMENTS: tuple[RowDecision, ...] = (
    RowDecision(
        page_of("unknown-payments"),
        "/office/payments/unknown/decide",
        "A payment in doubt",
        "It was asked of the gateway and never answered. It is looked up, and asked again under "
        "its own key alone, which draws once; a number that the gateway does not know takes two "
        "people and `billclose unknown decide --insist`.",
        (
            Way("agreed", "As both say", "It is decided as both sides say.", _agreed),
            Way(
                "approved",
                "It was drawn, under the confirmation number below",
                "The payment counts as taken, and is posted.",
                _approved,
                asks="Confirmation number",
            ),
            Way(
                "never",
                "It was not drawn",
                "It counts as never drawn: autopay draws it again if that is not too late; whoever "
                "paid by hand is told that nothing was taken.",
                _never_arrived,
            ),
            Way(
                "back",
                "It was drawn twice, and one was given back",
                "One of the two counts as given back.",
                _given_back,
            ),
        ),
        _what_each_says,
    ),
    RowDecision(
        page_of("completed-payments"),
        "/office/payments/completed/refund",
        "Give a payment back",
        "What is given back is owed again. It is given back once, however often this is sent.",
        (
            Way(
                "refunded",
                "Give it back",
                "The payment is given back; its reversal waits to be posted.",
                _give_back,
                asks="Amount; empty for all that is left of it",
                is_detail_needed=False,
            ),
        ),
    ),
)
