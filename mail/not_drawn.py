"""Payments that autopay left out, so that the customer has to pay another way (ruling 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from database.tables import account, autopay_unscheduled, period_close, scheduled_payment
from domain.deliveries import MessageKind
from domain.payments import PaymentState, Unscheduled
from rules.drawing import NoDraw


@dataclass(frozen=True, slots=True)
class Why:
    """Why nothing was drawn, in a customer's words, and what to do."""

    form: str
    reason: str
    remedy: str
    unscheduled: Unscheduled | None  # at the time of scheduling
    no_draw: tuple[NoDraw, ...]  # on the day of the draw


_FORM = f"{MessageKind.AUTOPAY_FAILED}-"
_WHY = (
    Why(
        f"{_FORM}over-maximum",
        "The amount is above the maximum that was set for autopay.",
        "To let autopay pay such amounts, end it and enroll again with a higher maximum.",
        Unscheduled.OVER_MAXIMUM,
        (NoDraw.OVER_MAXIMUM,),
    ),
    Why(
        f"{_FORM}method-blocked",
        "This card or bank account cannot be used for the account.",
        "Please call us, or end autopay and enroll again with another one.",
        Unscheduled.METHOD_BLOCKED,
        (NoDraw.METHOD_BLOCKED, NoDraw.METHOD_SUSPENDED),
    ),
    Why(
        f"{_FORM}amount-changed",
        "What is open is no longer the amount that came back, so that it is not drawn again.",
        "",
        None,
        (NoDraw.AMOUNT_CHANGED,),
    ),
)
WHY_NOT_DRAWN = {why.form: why for why in _WHY}


def not_drawn(since: datetime) -> Iterator[sa.Select[Any]]:
    """Yield what was left out of a schedule, or on the day of a draw, from a moment on."""
    for why in _WHY:
        if why.unscheduled is not None:
            yield _left_out(why.form, why.unscheduled, since)
        yield _cancelled(why.form, why.no_draw, since)


def _left_out(form: str, reason: Unscheduled, since: datetime) -> sa.Select[Any]:
    rows = autopay_unscheduled.c
    about = sa.literal("not-drawn/autopay/").concat(rows.run).concat("/").concat(rows.account_key)
    return (
        _of(autopay_unscheduled, about, form)
        .join(period_close, period_close.c.run == rows.run)
        .where(rows.reason == reason, period_close.c.closed_at >= since)
    )


def _cancelled(form: str, reasons: tuple[NoDraw, ...], since: datetime) -> sa.Select[Any]:
    rows = scheduled_payment.c
    return _of(scheduled_payment, sa.literal("not-drawn/").concat(rows.key), form).where(
        rows.state == PaymentState.CANCELLED,
        rows.error.in_([reason.as_error for reason in reasons]),
        rows.pay_on >= since.date(),
    )


def _of(table: sa.Table, about: sa.ColumnElement[str], form: str) -> sa.Select[Any]:
    same_account = sa.and_(
        account.c.run == table.c.run, account.c.account_key == table.c.account_key
    )
    return (
        sa.select(
            about.label("about"),
            sa.literal(form).label("form"),
            table.c.run,
            table.c.account,
            table.c.account_key,
            account.c.cosigner_id,
        )
        .select_from(table)
        .join(account, same_account)
        .order_by(table.c.account_key)
    )
