"""Ending a mandate: what is scheduled falls away, what was asked for stands (rules 60, 61, 66)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from database.mandates import mandates_in_force
from database.tables import enrollment, enrollment_end
from domain.failures import Refused
from domain.payments import Mandate
from payments.enrolling_facts import Payment, Standing, lock_standing, read_standing
from payments.enrolling_records import TakenOff, cancel_waiting, forget_plan
from payments.enrolling_words import say_mandate


@dataclass(frozen=True, slots=True)
class Ended:
    """What ended: the mandate, the payments that fell away, and the one that stands."""

    standing: Standing  # as it was before
    taken_off: Sequence[TakenOff]
    stands: Payment | None  # of this period, taken or on its way

    @property
    def mandate(self) -> Mandate:
        assert self.standing.mandate is not None
        return self.standing.mandate


def find_standing(database: Database, account: str) -> Standing:
    """Return how an account stands with autopay; raises Misuse where it is not known."""
    with database.reading() as books:
        return read_standing(books, account)


def require_enrolled(standing: Standing) -> Mandate:
    """Raise Refused where there is nothing to end."""
    if standing.mandate is None:
        raise Refused(
            "not-enrolled", f"Account {standing.account} is not enrolled. Nothing was changed."
        )
    return standing.mandate


def cancel_enrollment(
    database: Database, account: str, *, now: datetime, today: date, who: str, reason: str
) -> Ended:
    """
    End an account's autopay, whoever took the mandate down.

    Its payment is taken off the schedule unless it may have been asked for: then it stands, and
    the answer says so. A mandate of the export is hidden up to today; one that the export shows
    with a later day of enrolling counts again. Raises Misuse and Refused like its helpers.
    """
    with database.writing() as books:
        lock_standing(books, account)
        standing = read_standing(books, account)
        agreed = require_enrolled(standing)

        _end_own(books, standing, now, today, who, reason)
        _end_exported(books, standing, now, today, who, reason)
        taken_off = cancel_waiting(books, standing.key)
        if standing.run is not None:
            forget_plan(books, standing.run, standing.key)
        dropped = "".join(f"; {one.amount.dollars()} of {one.run} dropped" for one in taken_off)
        detail = f"{reason} ({say_mandate(agreed)}{dropped})"
        record_audit(books, now, who, "cancel autopay", standing.account, detail)
    payment = standing.payment
    return Ended(standing, taken_off, payment if payment and payment.is_processed else None)


def _end_own(
    books: Connection, standing: Standing, now: datetime, today: date, who: str, reason: str
) -> None:
    rows = enrollment.c
    books.execute(
        enrollment.update()
        .where(rows.account_key == standing.key, rows.cancelled_at.is_(None))
        .values(cancelled_on=today, cancelled_at=now, cancelled_by=who, cancel_reason=reason)
    )


def _end_exported(
    books: Connection, standing: Standing, now: datetime, today: date, who: str, reason: str
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
