"""Ending a mandate: what is scheduled falls away, what was asked for stands (rules 60, 61, 66)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.wallet import brand_of
from database.queries.mandates import mandates_in_force
from database.queries.outsorted import held_periods
from database.queries.portal.choices import AUTOPAY, record_choice
from database.runs import timezone_of
from database.tables import enrollment, enrollment_end, scheduled_payment, suspended_method
from domain.failures import Refused
from domain.feeds import NO
from domain.payment_methods import say_method
from domain.payments import Mandate
from payments.enrollment.facts import (
    CurrentPayment,
    EnrollmentFacts,
    lock_enrollment,
    read_enrollment_facts,
)
from payments.enrollment.records import TakenOff, cancel_waiting, forget_plan
from payments.enrollment.wording import say_mandate


@dataclass(frozen=True, slots=True)
class Ended:
    """What ended: the mandate, the payments that fell away, and the one that stands."""

    standing: EnrollmentFacts  # as it was before
    taken_off: Sequence[TakenOff]
    stands: CurrentPayment | None  # of this period, taken or on its way

    @property
    def mandate(self) -> Mandate:
        assert self.standing.mandate is not None
        return self.standing.mandate


def find_enrollment_facts(database: Database, account: str) -> EnrollmentFacts:
    """Return how an account stands with autopay; raises Misuse where it is not known."""
    with database.reading() as books:
        return read_enrollment_facts(books, account)


def require_enrolled(standing: EnrollmentFacts) -> Mandate:
    """Raise Refused where there is nothing to end."""
    if standing.mandate is None:
        raise Refused(
            "not-enrolled", f"Account {standing.account} is not enrolled. Nothing was changed."
        )
    return standing.mandate


def cancel_enrollment(
    database: Database,
    account: str,
    *,
    now: datetime,
    today: date,
    who: str,
    reason: str,
    only_of: str | None = None,
    alongside: Callable[[Connection, Ended], None] | None = None,
) -> Ended:
    """
    End an account's autopay, whoever took the mandate down.

    `only_of` is the mailbox of a portal user who asks: raises Refused (`not-theirs`) where the
    mandate draws from somebody else's wallet. What `alongside` does is the same transaction.

    Its payment is taken off the schedule unless it may have been asked for: then it stands, and
    the answer says so. A mandate of the export is hidden up to today; one that the export shows
    with a later day of enrolling counts again. Raises Misuse and Refused like its helpers.
    """
    with database.writing() as books:
        lock_enrollment(books, account)
        standing = read_enrollment_facts(books, account)
        require_enrolled(standing)
        if only_of is not None and standing.payer not in ("", only_of):
            raise Refused(
                "not-theirs",
                f"Autopay of account {standing.account} draws from somebody else's wallet; they "
                "end it, or the office. Nothing was changed.",
            )
        ended = end_mandate(books, standing, now=now, today=today, who=who, reason=reason)
        if alongside is not None:
            alongside(books, ended)
    return ended


def end_mandate(
    books: Connection,
    standing: EnrollmentFacts,
    *,
    now: datetime,
    today: date,
    who: str,
    reason: str,
) -> Ended:
    """
    End the mandate of an account that the transaction has locked and read.

    By whichever door the customer's choice comes, the portal's or the office's: the billing
    system is told of it.
    """
    agreed = require_enrolled(standing)

    _end_own(books, standing, now, today, who, reason)
    _end_exported(books, standing, now, today, who, reason)
    taken_off = cancel_waiting(books, standing.key)
    if standing.period is not None:
        forget_plan(books, standing.period, standing.key)
    for period in held_periods(books, standing.key):
        forget_plan(books, period, standing.key)
    dropped = "".join(f"; {one.amount.dollars()} of {one.period} dropped" for one in taken_off)
    detail = f"{reason} ({say_mandate(agreed)}{dropped})"
    record_audit(books, now, who, "cancel autopay", standing.account, detail)
    record_choice(books, standing.account, {AUTOPAY: NO}, now=now, by=who)
    payment = standing.payment
    stands = payment if payment and payment.is_processed else None
    return Ended(standing, taken_off, stands)


def _end_own(
    books: Connection, standing: EnrollmentFacts, now: datetime, today: date, who: str, reason: str
) -> None:
    rows = enrollment.c
    books.execute(
        enrollment.update()
        .where(rows.account_key == standing.key, rows.cancelled_at.is_(None))
        .values(cancelled_on=today, cancelled_at=now, cancelled_by=who, cancel_reason=reason)
    )


def _end_exported(
    books: Connection, standing: EnrollmentFacts, now: datetime, today: date, who: str, reason: str
) -> None:
    """Hide what the export still holds, now that the office's own mandate is out of the way."""
    left = mandates_in_force(standing.newest, standing.key)
    enrolled_on = books.scalar(sa.select(left.c.enrolled_on))
    if enrolled_on is None:
        return
    books.execute(enrollment_end.delete().where(enrollment_end.c.account_key == standing.key))
    books.execute(
        enrollment_end.insert().values(
            account_key=standing.key,
            ended_on=max(today, enrolled_on),
            ended_at=now,
            ended_by=who,
            reason=reason,
        )
    )


@dataclass(frozen=True, slots=True)
class Reinstated:
    """A payment method that may be drawn from again, and why it was suspended."""

    account: str
    method: str  # its kind and last four digits
    why: str
    since: date  # local
    others: tuple[str, ...]  # further accounts that it has paid for


def reinstate(
    database: Database, account: str, *, now: datetime, who: str, reason: str
) -> list[Reinstated]:
    """
    Let the suspended payment methods of an account be drawn from again; audited with the reason.

    For a person who knows that the cause is gone: the customer has signed anew (after R10 and its
    like Nacha asks for that), or the bank was wrong. What was cancelled stays so: the next period
    is drawn. Raises Misuse for an account that nobody knows, Refused (`not-suspended`) where
    nothing of it is suspended.
    """
    with database.writing() as books:
        lock_enrollment(books, account)
        standing = read_enrollment_facts(books, account)
        rows = _suspended(books, standing)
        if not rows:
            raise Refused(
                "not-suspended",
                f"No payment method of account {standing.account} is suspended. "
                "Nothing was changed.",
            )
        return [_lift(books, standing, row, now, who, reason) for row in rows]


def _suspended(books: Connection, standing: EnrollmentFacts) -> list[Any]:
    """Return what the account pays with, or has paid with, and is suspended; each token once."""
    paid, agreed = scheduled_payment.c, mandates_in_force(standing.newest, standing.key).c
    columns = (paid.method_token, paid.method_kind, paid.last4)
    with_payments = sa.select(*columns).where(paid.account_key == standing.key)
    with_mandate = sa.select(agreed.method_token, agreed.method_kind, agreed.last4)
    used = with_payments.union(with_mandate).subquery()
    query = (
        sa.select(
            used,
            brand_of(used.c.method_token).label("brand"),
            suspended_method.c.since,
            suspended_method.c.reason,
        )
        .join(suspended_method, suspended_method.c.method_token == used.c.method_token)
        .order_by(suspended_method.c.since, used.c.method_token)
    )
    return list({row.method_token: row for row in books.execute(query)}.values())


def _lift(
    books: Connection, standing: EnrollmentFacts, row: Any, now: datetime, who: str, reason: str
) -> Reinstated:
    token, paid = row.method_token, scheduled_payment.c
    others = sa.select(paid.account).where(
        paid.method_token == token, paid.account_key != standing.key
    )
    found = Reinstated(
        standing.account,
        say_method(row.method_kind, row.last4, row.brand),
        row.reason,
        row.since.astimezone(ZoneInfo(timezone_of(books))).date(),
        tuple(books.scalars(others.distinct().order_by(paid.account))),
    )
    books.execute(suspended_method.delete().where(suspended_method.c.method_token == token))
    detail = f"{found.method}, suspended since {found.since} ({found.why}): {reason}"
    record_audit(books, now, who, "reinstate method", standing.account, detail)
    return found
