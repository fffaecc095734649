"""Why autopay charged what it did: a payment beside the bill and the agreement it came of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.in_force import wallet_in_force
from database.definitions.wallet import brand_of
from database.queries.corrections import (
    amount_due_in_force,
    due_on_in_force,
    is_of_account,
    standing_corrections,
)
from database.tables import account, bill_run, enrollment, gateway_payment, mandate
from database.types import written_out
from domain.money import Money
from domain.payments import MethodKind, PaymentKind, PaymentState


@dataclass(frozen=True, slots=True)
class ChargeTerms:
    """What was agreed to when a payment was scheduled; `payer` is the address whose wallet pays."""

    days_prior: int
    maximum: Money | None
    enrolled_on: date
    payer: str


@dataclass(frozen=True, slots=True)
class Charge:
    """
    One payment that autopay planned or took, with what it was reckoned from (rules 41, 48-54).

    `billed` and `due_on` are the bill's as they stand now; `number` above 1 is a payment that came
    back and was drawn again. Without an agreement the books have none that is as old.
    """

    key: str
    period: str
    number: int
    pay_on: date
    amount: Money
    kind: MethodKind
    last4: str
    immediate: bool
    state: PaymentState
    confirmation: str
    scheduled_at: datetime
    taken_at: datetime | None
    billed: Money
    due_on: date
    equal_pay: Money | None
    brand: str = ""
    agreement: ChargeTerms | None = None


def charge_of(books: Connection, key: str, period: str, number: int) -> Charge | None:
    """Return one payment of autopay of an account by its period and its number in it."""
    payment, corrected = gateway_payment.c, standing_corrections()
    query = (
        sa.select(
            payment.key,
            payment.period,
            payment.number,
            payment.pay_on,
            payment.amount,
            payment.method_kind,
            payment.last4,
            payment.immediate,
            payment.state,
            sa.func.coalesce(payment.confirmation, sa.literal("")),
            payment.scheduled_at,
            payment.taken_at,
            amount_due_in_force(corrected),
            due_on_in_force(corrected, payment.period, payment.account_key),
            account.c.equal_pay_amount,
            brand_of(payment.method_token),
            payment.method_token,
        )
        .join_from(gateway_payment, bill_run, bill_run.c.period == payment.period)
        .join(
            account,
            sa.and_(account.c.period == payment.period, account.c.account_key == key),
        )
        .outerjoin(corrected, is_of_account(corrected))
        .where(
            payment.kind == written_out(PaymentKind.AUTOPAY),
            payment.account_key == key,
            payment.period == period,
            payment.number == number,
        )
    )
    row = books.execute(query).first()
    if row is None:
        return None
    *facts, token = row
    found = Charge(*facts)
    return replace(found, agreement=_agreement(books, key, found, token))


def _agreement(books: Connection, key: str, charge: Charge, token: str) -> ChargeTerms | None:
    """Return what was in force when the payment was scheduled: given here, else the export's."""
    given, listed = enrollment.c, mandate.c
    here = (
        sa.select(given.days_prior, given.maximum, given.enrolled_on, given.portal_user)
        .where(
            given.account_key == key,
            given.method_token == token,
            given.enrolled_at <= charge.scheduled_at,
            given.cancelled_at.is_(None) | (given.cancelled_at > charge.scheduled_at),
        )
        .order_by(given.enrolled_at.desc())
    )
    export: sa.Select[Any] = (
        sa.select(listed.days_prior, listed.maximum, listed.enrolled_on, listed.portal_user)
        .where(
            listed.account_key == key,
            listed.method_token == token,
            listed.period == charge.period,
            listed.active,
        )
        .order_by(listed.line.desc())
    )
    row = books.execute(here.limit(1)).first() or books.execute(export.limit(1)).first()
    if row is None:
        return None
    agreed = ChargeTerms(*row)
    return agreed if agreed.payer else replace(agreed, payer=_owner(books, charge.period, token))


def _owner(books: Connection, period: str, token: str) -> str:
    """Return in whose wallet a method is whose agreement names nobody."""
    rows = wallet_in_force.c
    query = sa.select(rows.portal_user).where(rows.period == period, rows.token == token)
    return str(books.scalar(query.order_by(rows.portal_user).limit(1)) or "")
