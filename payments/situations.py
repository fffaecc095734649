"""The enrollments of a run in SQL, each with a number for the situation that decides about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import accumulate
from operator import mul
from typing import Any

import sqlalchemy as sa

from database.mandates import mandates_in_force
from database.tables import (
    account,
    balance_due,
    bill_run,
    held_account,
    period_close,
    scheduled_payment,
    suspended_method,
)
from database.types import Cents
from domain.accounts import AccountStatus
from domain.money import ZERO
from domain.payments import MethodKind, PaymentState
from rules.autopay import Situation

FLAG = (False, True)
NOTHING = sa.literal(ZERO, Cents())


def enrollments(run: str) -> sa.Select[Any]:
    """
    Select the mandate in force of each account that has no payment in this run yet.

    `code` is the number of the account's situation (`to_situation`), days prior apart. What was
    paid is taken off the balance due; a closed run whose balance is gone has been followed by a
    later one, which holds what was open: drawing for both would take the same money twice.
    """
    agreed = mandates_in_force(run)
    same_account = account.c.account_key == agreed.c.account_key
    due = sa.and_(balance_due.c.run == run, balance_due.c.account_key == agreed.c.account_key)
    is_closed = sa.exists().where(period_close.c.run == run)
    balance = sa.case(
        (balance_due.c.account_key.is_not(None), balance_due.c.amount_due - balance_due.c.paid),
        (is_closed, NOTHING),
        else_=account.c.amount_due,
    )
    state, cancelled = scheduled_payment.c.state, PaymentState.CANCELLED
    taken_off = _has_payment(run, agreed, state == cancelled)
    due_on = sa.select(bill_run.c.due_on).where(bill_run.c.run == run).scalar_subquery()
    return (
        sa.select(
            account.c.account_key,
            account.c.account,
            _code(_facts(run, agreed, balance, due_on, taken_off)).label("code"),
            agreed.c.days_prior,
            balance.label("balance"),
            agreed.c.maximum,
            agreed.c.method_token,
            agreed.c.method_kind,
            agreed.c.last4,
        )
        .select_from(agreed)
        .join(account, sa.and_(account.c.run == run, same_account))
        .outerjoin(balance_due, due)
        .where(~_has_payment(run, agreed, state != cancelled))
        .order_by(account.c.account_key)
    )


def to_situation(code: int, days_prior: int) -> Situation:
    """Read the number of a situation; raises IndexError for one that none has."""
    values: dict[str, Any] = {}
    for name, choices in CHOICES:
        code, at = divmod(code, len(choices))
        values[name] = choices[at]
    if code:
        raise IndexError("no situation has that number")
    return Situation(days_prior=days_prior, **values)


def _facts(
    run: str,
    agreed: sa.Subquery,
    balance: sa.ColumnElement[Any],
    due_on: sa.ScalarSelect[date],
    taken_off: sa.ColumnElement[bool],
) -> Iterator[sa.ColumnElement[int]]:
    """Give the place of each fact among its CHOICES; a suspended method is blocked of any kind."""
    of = account.c
    is_suspended = sa.exists().where(suspended_method.c.method_token == agreed.c.method_token)
    is_held = sa.exists().where(
        held_account.c.run == run, held_account.c.account_key == agreed.c.account_key
    )
    is_active = of.status == AccountStatus.ACTIVE
    places = {
        "status": _place(of.status, STATUSES),
        "method_kind": _place(agreed.c.method_kind, KINDS),
        "pays_up_to_maximum": _place(agreed.c.pays_up_to_maximum, CHOSEN),
        "is_owed": _flag(balance > NOTHING),
        "is_above_maximum": _flag(balance > agreed.c.maximum),
        "is_maximum_owed": _flag(agreed.c.maximum > NOTHING),
        "pays_equal_amount": _flag(sa.and_(is_active, of.equal_pay_amount.is_not(None))),
        "direct_pay": _flag(of.direct_pay),
        "block_ach": _flag(sa.or_(of.block_ach, is_suspended)),
        "block_card": _flag(sa.or_(of.block_card, is_suspended)),
        "is_held": _flag(is_held),
        "is_after_due": _flag(agreed.c.enrolled_on > due_on),
        "already_processed": _flag(taken_off),
    }
    return (places[name] for name, _ in CHOICES)


STATUSES, KINDS, CHOSEN = tuple(AccountStatus), (None, *MethodKind), (None, False, True)
CHOICES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("status", STATUSES),
    ("method_kind", KINDS),
    ("pays_up_to_maximum", CHOSEN),
    *(
        (name, FLAG)
        for name in (
            "is_owed", "is_above_maximum", "is_maximum_owed", "pays_equal_amount", "direct_pay",
            "block_ach", "block_card", "is_held", "is_after_due", "already_processed",
        )
    ),
)  # fmt: skip


def _code(places: Iterator[sa.ColumnElement[int]]) -> sa.ColumnElement[int]:
    """Put the places of all facts into one number, as the digits of numbers are."""
    weights = accumulate((len(choices) for _, choices in CHOICES), mul, initial=1)
    first, *others = (place * weight for place, weight in zip(places, weights, strict=False))
    return sum(others, first)


def _place(column: sa.ColumnElement[Any], choices: tuple[Any, ...]) -> sa.ColumnElement[int]:
    """Return the place of a column's value; NULL, where it is one of them, is the first."""
    known = [(column == value, at) for at, value in enumerate(choices) if value is not None]
    return sa.case(*known, else_=0)


def _flag(claim: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((claim, 1), else_=0)


def _has_payment(
    run: str, agreed: sa.Subquery, condition: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    rows = scheduled_payment.c
    return sa.exists().where(rows.run == run, rows.account_key == agreed.c.account_key, condition)
