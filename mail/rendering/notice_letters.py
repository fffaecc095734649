"""From what the books know to the letter of each kind; or why there is nothing to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from database.tables import account, autopay_unscheduled, period_close, scheduled_payment
from domain.deliveries import MessageKind
from domain.failures import PermanentFailure, TemporaryFailure
from domain.languages import ENGLISH
from domain.money import ZERO, Money
from domain.payments import PaymentState, Unscheduled
from mail.letters.bill import AnnouncedDraw
from mail.letters.notices import (
    AutopayFailed,
    AutopayNotDrawn,
    AutopayScheduled,
    Notice,
    PastDue,
    PaymentDue,
    PaymentReceipt,
)
from mail.letters.phrases import say_failure
from mail.letters.spanish import in_language
from mail.rendering.notice_facts import NoticeFacts, NoticePayment
from rules.money.drawing import NoDraw


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
        f"{_FORM}too-late",
        "The payment did not reach your bank or card company, and so long after its day we do not "
        "draw it any more.",
        "",
        None,
        (NoDraw.TOO_LATE,),
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
    about = (
        sa.literal("not-drawn/autopay/").concat(rows.period).concat("/").concat(rows.account_key)
    )
    return (
        _of(autopay_unscheduled, about, form)
        .join(period_close, period_close.c.period == rows.period)
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
        account.c.period == table.c.period, account.c.account_key == table.c.account_key
    )
    return (
        sa.select(
            about.label("about"),
            sa.literal(form).label("form"),
            table.c.period,
            table.c.account,
            table.c.account_key,
            account.c.cosigner_id,
        )
        .select_from(table)
        .join(account, same_account)
        .order_by(table.c.account_key)
    )


_UNDER_WAY = (PaymentState.SUBMITTED, PaymentState.UNKNOWN)
_FAILED = (PaymentState.DECLINED, PaymentState.RETURNED)
Common = dict[str, Any]


def to_notice(
    kind: MessageKind, facts: NoticeFacts, on: date, common: Common, put_off: Money = ZERO
) -> Notice:
    """
    Return the letter of a kind that is about an account; `on` is the day it was recorded.

    `put_off` is what a payment arrangement does not ask for yet: a reminder leaves it out.

    `common` are the facts that every Notice has. Asked again when it leaves: raises
    PermanentFailure for what has been settled meanwhile or was never so, TemporaryFailure for a
    past-due notice while a payment is under way (ruling 14).
    """
    if kind in _REMINDING:
        return _REMINDING[kind](facts, on, common, put_off)
    return _LETTERS[kind](facts, on, common)


def _payment_due(facts: NoticeFacts, _on: date, common: Common, put_off: Money) -> Notice:
    owed = _owed(facts, put_off)
    since = None if put_off else facts.since  # its sums would be of the whole balance
    return PaymentDue(
        **common, open_balance=owed, due_on=facts.due_on, since=since, draw=_draw(facts)
    )


def _past_due(facts: NoticeFacts, on: date, common: Common, put_off: Money) -> Notice:
    owed = _owed(facts, put_off)
    if facts.payment is not None and facts.payment.state in _UNDER_WAY:
        raise TemporaryFailure("an autopay payment is under way")
    days = (on - facts.due_on).days
    if days <= 0:
        raise PermanentFailure("it is not past due")
    since = None if put_off else facts.since
    return PastDue(**common, open_balance=owed, due_on=facts.due_on, since=since, days_overdue=days)


def _autopay_scheduled(facts: NoticeFacts, _on: date, common: Common) -> Notice:
    draw = _draw(facts)
    if draw is None:
        raise PermanentFailure("no autopay payment is scheduled any more")
    due = facts.amount_due if facts.corrected_due is None else facts.corrected_due
    due = due or draw.amount
    return AutopayScheduled(**common, draw=draw, amount_due=due, due_on=facts.due_on)


def _autopay_failed(facts: NoticeFacts, on: date, common: Common) -> Notice:
    why = WHY_NOT_DRAWN.get(common["form"])
    if why is not None:
        return _not_drawn(facts, on, common, why)
    payment = _payment(facts, *_FAILED, PaymentState.SCHEDULED)
    is_tried_again = payment.state is PaymentState.SCHEDULED
    if is_tried_again and payment.failed_at is None:
        raise PermanentFailure("no payment has failed")
    reason, remedy = (
        _said(common, *say_failure(payment.error, payment.advice)) if facts.method else ("", "")
    )
    return AutopayFailed(
        **common,
        amount=payment.amount,
        failed_on=_local_day(payment.failed_at, facts.timezone) or payment.pay_on,
        retry_on=payment.pay_on if is_tried_again else None,
        open_balance=facts.open_balance or ZERO,
        due_on=facts.due_on,
        method=facts.method,
        last4=facts.last4,
        brand=facts.brand,
        reason=reason,
        remedy=remedy,
    )


def _receipt(facts: NoticeFacts, _on: date, common: Common) -> Notice:
    payment = _payment(facts, PaymentState.SUCCEEDED)
    return PaymentReceipt(
        **common,
        amount=payment.amount,
        paid_on=_local_day(payment.taken_at, facts.timezone) or payment.pay_on,
        confirmation=payment.confirmation,
        open_balance=facts.open_balance or ZERO,
        receipt_number=payment.receipt,
        method=facts.method,
        last4=facts.last4,
        brand=facts.brand,
    )


def _local_day(moment: datetime | None, timezone: str) -> date | None:
    return moment.astimezone(ZoneInfo(timezone)).date() if moment else None


def _owed(facts: NoticeFacts, put_off: Money = ZERO) -> Money:
    """Return what is open; nobody is reminded of nothing or of a credit (ruling 15)."""
    if facts.open_balance is None:
        raise PermanentFailure("the balance due is of another period now")
    if facts.open_balance <= ZERO:
        raise PermanentFailure("nothing is owed any more")
    if facts.open_balance <= put_off:
        raise PermanentFailure("what is owed is in a payment arrangement")
    return facts.open_balance - put_off


def _not_drawn(facts: NoticeFacts, on: date, common: Common, why: Why) -> Notice:
    """Tell what autopay leaves to be paid; raises PermanentFailure where it is paid after all."""
    owed, payment = _owed(facts), facts.payment
    if payment is not None and payment.state is not PaymentState.CANCELLED:
        raise PermanentFailure("autopay has a payment for it by now")
    reason, remedy = _said(common, why.reason, why.remedy)
    return AutopayNotDrawn(
        **common,
        amount=owed,
        failed_on=on if payment is None else payment.pay_on,
        open_balance=owed,
        due_on=facts.due_on,
        method=facts.method,
        last4=facts.last4,
        brand=facts.brand,
        reason=reason if facts.method else "",
        remedy=remedy if facts.method else "",
    )


def _said(common: Common, reason: str, remedy: str) -> tuple[str, str]:
    language = common.get("language", ENGLISH)
    return in_language(reason, language), in_language(remedy, language)


def _draw(facts: NoticeFacts) -> AnnouncedDraw | None:
    payment = facts.payment
    if payment is None or payment.state is not PaymentState.SCHEDULED:
        return None
    return AnnouncedDraw(payment.amount, payment.pay_on, facts.method, facts.last4, facts.brand)


def _payment(facts: NoticeFacts, *states: PaymentState) -> NoticePayment:
    if facts.payment is None or facts.payment.state not in states:
        raise PermanentFailure(f"there is no payment that is {' or '.join(states)}")
    return facts.payment


_LETTERS: dict[MessageKind, Callable[[NoticeFacts, date, Common], Notice]] = {
    MessageKind.AUTOPAY_SCHEDULED: _autopay_scheduled,
    MessageKind.AUTOPAY_FAILED: _autopay_failed,
    MessageKind.RECEIPT: _receipt,
}
_REMINDING: dict[MessageKind, Callable[[NoticeFacts, date, Common, Money], Notice]] = {
    MessageKind.PAYMENT_DUE: _payment_due,
    MessageKind.PAST_DUE: _past_due,
}
