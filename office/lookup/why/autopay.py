"""Why autopay draws this on that day, or draws nothing."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from database.definitions.wallet import brand_of
from database.queries.autopay import payments_left_out
from database.queries.corrections import (
    due_on_in_force,
    is_of_account,
    standing_corrections,
)
from database.queries.mandates import mandates_in_force
from database.tables import (
    account,
    autopay_unscheduled,
    bill_run,
    enrollment,
    enrollment_end,
    gateway_payment,
    planned_payment,
    suspended_method,
)
from database.types import written_out
from domain.payment_methods import say_kind, say_method
from domain.payments import MethodKind, PaymentKind, Unscheduled
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic, say_day
from rules.money.autopay import OnClosedDay, draw_date

UNSCHEDULED = {
    Unscheduled.HELD: ("its bill is held back", ()),
    Unscheduled.ACCOUNT_CLOSED: ("the account is closed", ("58",)),
    Unscheduled.DIRECT_PAY: (
        "the office draws it by direct pay, and both together would draw twice",
        ("62", "63"),
    ),
    Unscheduled.METHOD_BLOCKED: ("the way of paying is blocked for it", ("136", "138")),
    Unscheduled.METHOD_MISSING: ("no wallet has the agreed payment method any more", ("60", "70")),
    Unscheduled.ARRANGED: ("all that was owed is in a payment arrangement", ("57", "81")),
    Unscheduled.ZERO_BALANCE: ("nothing was owed", ("57", "81")),
    Unscheduled.OVER_MAXIMUM: (
        "more was owed than the customer's maximum, and then nothing is drawn",
        ("50", "ruling 3"),
    ),
    Unscheduled.AFTER_DUE_DATE: ("the enrollment begins after the due date", ("56", "81")),
    Unscheduled.ALREADY_PROCESSED: ("the period's payment was processed already", ("58", "81")),
}


def why_autopay(case: Case) -> Sentences:
    """Say what is agreed, and for the period which payment comes of it or why none does."""
    agreed = case.books.execute(_agreed(case)).first()
    yield _of_the_agreement(case, agreed)
    yield from _of_ends(case)
    payments = case.rows(_scheduled(case))
    for row in payments:
        yield _of_the_schedule(case, row, agreed)
    reason = case.books.scalar(
        sa.select(autopay_unscheduled.c.reason).where(
            autopay_unscheduled.c.period == case.period,
            autopay_unscheduled.c.account_key == case.account_key,
        )
    )
    if reason is not None:
        yield _of_no_payment(case, reason, agreed)
    elif agreed is not None and not payments:
        yield from _of_no_schedule(case)


def explain_day(
    pay_on: date,
    due_on: date,
    printed: date,
    days_prior: int,
    bank_days: Container[date],
    on_closed_day: OnClosedDay,
) -> tuple[str, tuple[str, ...]]:
    """
    Say why a draw is on `pay_on`, with its rules; all dates are local.

    `due_on` is the due date that the bill has, `printed` the one of its period: a bill that was
    held back is released with a later one, and its draw waits for the customer to see it.
    """
    wanted = due_on - timedelta(days=days_prior)
    chosen = draw_date(due_on, days_prior, bank_days, on_closed_day)
    counted = f"{_say_days(days_prior)}, {say_day(due_on)}"
    if pay_on > chosen and due_on != printed:
        soon = f"{say_day(chosen)}, {counted}, would have come too soon after the bill, which"
        return f"{soon} had been held back", ("48", "49", "54")
    if chosen != pay_on:
        return f"counted back from the due date ({counted}), as was agreed then", ("48", "49")
    if chosen != wanted:
        moved = f"{counted}, is {say_day(wanted)}, on which no bank works"
        return moved, ("48", "49", "ruling 13")
    return f"that is {counted}", ("48", "49", "53")


def _agreed(case: Case) -> sa.Select[Any]:
    return sa.select(mandates_in_force(case.period, case.account_key))


def _of_the_agreement(case: Case, agreed: Any) -> Sentence:
    if agreed is None:
        text = "It is not enrolled in autopay, so that nothing is drawn by itself"
        return Sentence(Topic.AUTOPAY, text, ("48",), f"agreement/{case.period}")
    by = "with the office" if agreed.enrollment_id is not None else "by the billing system's export"
    maximum = f", at most {agreed.maximum.dollars()}" if agreed.maximum is not None else ""
    text = (
        f"It is enrolled in autopay since {say_day(agreed.enrolled_on)} {by}: from "
        f"{_say_method(agreed.method_kind, agreed.last4, agreed.brand)}, "
        f"{_say_days(agreed.days_prior)}{maximum}"
    )
    return Sentence(Topic.AUTOPAY, text, ("48", "50", "60"), f"agreement/{case.period}")


def _say_method(kind: MethodKind | None, last4: str, brand: str) -> str:
    said = say_method(kind, last4, brand)
    return f"the {said}" if kind else said


def _say_days(days: int) -> str:
    if days == 0:
        return "on the due date"
    return f"{days} day{'s' if days > 1 else ''} before the due date"


def _scheduled(case: Case) -> sa.Select[Any]:
    rows = gateway_payment.c
    return (
        sa.select(gateway_payment, brand_of(rows.method_token).label("brand"))
        .where(
            rows.period == case.period,
            rows.account_key == case.account_key,
            rows.kind == written_out(PaymentKind.AUTOPAY),
        )
        .order_by(rows.number)
    )


def _of_the_schedule(case: Case, row: Any, agreed: Any) -> Sentence:
    """Say why this amount on this day, by the rule that chose it (rules 48, 49, 54, 72)."""
    amount = f"{row.amount.dollars()} was scheduled {case.say_time(row.scheduled_at)}"
    from_what = _say_method(row.method_kind, row.last4, row.brand)
    day, rules = _why_that_day(case, row, agreed)
    whole = _why_that_amount(case, row, agreed)
    text = f"{amount} to be drawn from {from_what} on {say_day(row.pay_on)}: {whole}; {day}"
    return Sentence(Topic.AUTOPAY, text, ("72", *rules), f"schedule/{row.key}")


def _why_that_amount(case: Case, row: Any, agreed: Any) -> str:
    if row.number > 1:
        return "it was drawn before and came back, and is drawn again"
    if agreed is not None and agreed.maximum is not None and row.amount == agreed.maximum:
        return "that is the customer's maximum"
    if case.balance is not None and case.balance.equal_pay and case.is_newest:
        return "that is the agreed equal-pay amount"
    return "that was the whole balance due"


def _why_that_day(case: Case, row: Any, agreed: Any) -> tuple[str, tuple[str, ...]]:
    if row.number > 1:
        return "a returned draw is tried again after some banking days", ("79",)
    if row.immediate:
        return "its day had come when it was scheduled, so that it is drawn at once", (
            "51", "54", "59", "ruling 4",
        )  # fmt: skip
    if agreed is None:
        return "the agreement has ended since", ("49",)
    office = case.office
    terms = (agreed.days_prior, office.bank_days, office.settings.autopay.on_closed_day)
    return explain_day(row.pay_on, _due_on(case), case.bill_run.due_on, *terms)


def _due_on(case: Case) -> date:
    """Return the due date of the bill: as corrected or released, else its period's."""
    corrected = standing_corrections()
    query: sa.Select[Any] = (
        sa.select(due_on_in_force(corrected, account.c.period, account.c.account_key))
        .join_from(account, bill_run, bill_run.c.period == account.c.period)
        .outerjoin(corrected, is_of_account(corrected))
        .where(account.c.period == case.period, account.c.account_key == case.account_key)
    )
    found: date = case.books.execute(query).scalar_one()
    return found


def _of_no_payment(case: Case, reason: Unscheduled, agreed: Any) -> Sentence:
    """Say the first reason that applied, in the order of the office's list (rule 81)."""
    words, rules = UNSCHEDULED[reason]
    more = ""
    plan = case.books.execute(
        sa.select(planned_payment.c.amount).where(
            planned_payment.c.period == case.period,
            planned_payment.c.account_key == case.account_key,
        )
    ).first()
    if reason is Unscheduled.OVER_MAXIMUM and plan is not None and agreed is not None:
        limit = agreed.maximum.dollars() if agreed.maximum is not None else "an earlier maximum"
        more = f" ({plan.amount.dollars()} against {limit})"
    if reason is Unscheduled.METHOD_BLOCKED and agreed is not None:
        more = _why_blocked(case, agreed)
    text = f"No payment is scheduled for {case.period}, because {words}{more}"
    about = f"unscheduled/{case.period}/{case.account_key}"
    return Sentence(Topic.AUTOPAY, text, rules, about)


def _why_blocked(case: Case, agreed: Any) -> str:
    query = sa.select(suspended_method.c.since, suspended_method.c.reason)
    found = case.books.execute(
        query.where(suspended_method.c.method_token == agreed.method_token)
    ).first()
    if found is not None:
        return f": the method is suspended since {case.say_time(found.since)}, {found.reason}"
    if agreed.method_kind is None:
        return ""
    return f": the account may not be paid by {say_kind(agreed.method_kind)}"


def _of_no_schedule(case: Case) -> Sentences:
    """Say why an enrolled account has neither a payment nor a reason yet."""
    left_out = payments_left_out(case.period).subquery()
    is_left_out = case.books.scalar(
        sa.select(sa.func.count()).where(left_out.c._account_key == case.account_key)
    )
    about = f"unscheduled/{case.period}/{case.account_key}"
    if case.bill_run.closed_at is None:
        text = "Nothing is scheduled: that may only happen once the period is closed"
        yield Sentence(Topic.AUTOPAY, text, ("7", "9"), about)
    elif is_left_out:
        text = (
            "Its payment is planned and not scheduled: the schedule was forgotten or left it out; "
            f"`billclose schedule-autopay {case.period}` schedules it"
        )
        yield Sentence(Topic.AUTOPAY, text, ("73", "82"), about)
    else:
        enrolled = case.books.scalar(_enrolled_since(case))
        since = (
            "it enrolled after the period's schedule run"
            if enrolled
            else ("nothing of the period was left to be drawn")
        )
        text = f"Nothing is scheduled for {case.period}, because {since}; the next close plans anew"
        yield Sentence(Topic.AUTOPAY, text, ("56", "82"), about)


def _enrolled_since(case: Case) -> sa.Select[Any]:
    rows = enrollment.c
    return sa.select(sa.func.count()).where(
        rows.account_key == case.account_key,
        rows.cancelled_at.is_(None),
        rows.enrolled_at >= case.bill_run.closed_at,
    )


def _of_ends(case: Case) -> Sentences:
    """Say which agreements were made and ended with the office."""
    given, ended = enrollment.c, enrollment_end.c
    made = sa.select(enrollment).where(given.account_key == case.account_key)
    for row in case.rows(made.order_by(given.enrolled_at, given.id)):
        text = (
            f"An autopay agreement was made {case.say_time(row.enrolled_at)} by {row.enrolled_by}"
        )
        if row.cancelled_on is not None:
            text += (
                f", and ended {say_day(row.cancelled_on)} by {row.cancelled_by}: "
                f"{row.cancel_reason}"
            )
        yield Sentence(Topic.AUTOPAY, text, ("60", "66"), f"enrollment/{row.id}")
    known = sa.select(enrollment_end).where(ended.account_key == case.account_key)
    for row in case.rows(known):
        text = (
            f"The agreement that the export has was ended here {say_day(row.ended_on)} by "
            f"{row.ended_by}: {row.reason}"
        )
        yield Sentence(Topic.AUTOPAY, text, ("60", "66"), f"enrollment-end/{row.account_key}")
