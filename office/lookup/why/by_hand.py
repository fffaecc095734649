"""Payments that customers began by hand: confirmed, refused at the yes, or never confirmed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.checkout import checkout, checkout_line
from database.tables import account, gateway_payment
from domain.checkout import CheckoutState
from domain.money import Money
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic
from rules.money.retrying import AWAITED


def paid_lines(case: Case) -> dict[str, Money]:
    """Return what each payment by hand pays on the account, by the payment's key."""
    line = checkout_line.c
    query = (
        sa.select(
            checkout.c.payment_key, sa.func.sum(line.amount, type_=line.amount.type).label("amount")
        )
        .join_from(checkout_line, checkout, checkout.c.key == line.checkout)
        .where(line.account_key == case.account_key, checkout.c.payment_key.is_not(None))
        .group_by(checkout.c.payment_key)
    )
    return {row.payment_key: row.amount for row in case.rows(query)}


def is_told_in(case: Case) -> sa.ColumnElement[bool]:
    """
    Claim that a payment belongs to the case's period.

    One that pays several accounts is recorded in the first one's period; where this account has no
    such period, it stands with its newest.
    """
    period = gateway_payment.c.period
    if not case.is_newest:
        return period == case.period
    of_account = sa.select(account.c.period).where(account.c.account_key == case.account_key)
    return sa.or_(period == case.period, period.not_in(of_account))


def why_by_hand(case: Case) -> Sentences:
    """Say of each checkout what the customer wanted, and why nothing was taken if so."""
    line = checkout_line.c
    mine = (
        sa.select(line.checkout, sa.func.sum(line.amount, type_=line.amount.type).label("amount"))
        .where(line.account_key == case.account_key)
        .group_by(line.checkout)
        .subquery()
    )
    query = (
        sa.select(checkout, mine.c.amount)
        .join(mine, mine.c.checkout == checkout.c.key)
        .order_by(checkout.c.made_at, checkout.c.key)
    )
    for row in case.rows(query) if case.is_newest else ():
        yield Sentence(Topic.PAYMENT, _say(case, row), _RULES[row.state], f"checkout/{row.key}")


_RULES = {
    CheckoutState.SUBMITTED: ("78", "194"),
    CheckoutState.REFUSED: ("136",),
    CheckoutState.DRAFT: ("194",),
}


_AT_THE_BANK = (
    "the bank wants the customer to confirm it on a page of its own, nothing is taken before, "
    f"and where nobody does so it is given up after {AWAITED.seconds // 60} minutes"
)


def _say(case: Case, row: Any) -> str:
    began = f"A payment of {row.amount.dollars()} that the customer began "
    began += case.say_time(row.made_at)
    match row.state:
        case CheckoutState.SUBMITTED:
            agreed = f", agreed to by these words: “{row.consent}”" if row.consent else ""
            said = f"{began} was confirmed {case.say_time(row.submitted_at)}{agreed}"
            return f"{said}; {_AT_THE_BANK}" if row.bank_page else said
        case CheckoutState.REFUSED:
            why = str(row.not_taken or "something had changed").replace("-", " ")
            return f"{began} was refused and nothing was taken: {why}"
        case _:
            if row.expires_at > case.now:
                return f"{began} is not confirmed yet; nothing is taken before"
            return f"{began} was never confirmed, so that nothing was taken"
