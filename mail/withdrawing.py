"""Reminders and notices that wait and are not owed or true any more: taken out of the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from database.tables import bounce, delivery, scheduled_payment
from domain.deliveries import DeliveryStatus, MessageKind
from domain.payments import PaymentState
from domain.reminders import REMINDERS
from domain.words import say_count
from mail.due_dates import due_dates
from mail.reminder_selection import debts
from mail.reminder_terms import Reminding

_NOTICES = {
    MessageKind.RECEIPT: PaymentState.SUCCEEDED,
    MessageKind.AUTOPAY_SCHEDULED: PaymentState.SCHEDULED,
}
_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)


def withdraw_reminders(database: Database, terms: Reminding) -> int:
    """
    Take out the waiting reminders that are not owed now; return how many.

    A mail server that was away must not make us remind of what has been paid meanwhile, or
    announce a due date that is past. What is owed again later (a payment came back) is recorded
    anew. A mail that may have left before is kept.
    """
    taken = 0
    with database.reading() as books:
        runs = books.scalars(sa.select(delivery.c.run).where(*_waiting()).distinct()).all()
    for run in runs:
        with database.writing() as books:
            number = _withdraw(books, run, terms)
            if number:
                detail = f"{say_count(number, 'reminder')} not owed any more"
                record_audit(books, terms.now, terms.who, "withdraw reminders", run, detail)
        taken += number
    return taken


def withdraw_notices(database: Database, now: datetime, who: str) -> int:
    """
    Take out the waiting notices about payments that are not so any more; return how many.

    A receipt of a payment that came back, a word before a draw that has been done or taken off.
    """
    over = [
        sa.and_(delivery.c.kind == kind, ~_is_payment(state)) for kind, state in _NOTICES.items()
    ]
    with database.writing() as books:
        taken = books.execute(delivery.delete().where(*_waiting(_NOTICES), sa.or_(*over))).rowcount
        if taken:
            detail = f"{say_count(taken, 'notice')} not so any more"
            record_audit(books, now, who, "withdraw notices", "payments", detail)
    return taken


def _is_payment(state: PaymentState) -> sa.Exists:
    return sa.exists().where(
        scheduled_payment.c.run == delivery.c.run,
        scheduled_payment.c.account_key == delivery.c.account_key,
        scheduled_payment.c.state == state,
    )


def _withdraw(books: Connection, run: str | None, terms: Reminding) -> int:
    still_owed = [
        sa.and_(
            delivery.c.form == owed.step.form,
            delivery.c.account_key.in_(
                sa.select(found.c.account_key).where(found.c.reason.is_(None))
            ),
        )
        for due in due_dates(books, terms.now, run)
        for owed in due.owed(terms.plan)
        for found in [debts(due, owed.step.kind, terms, owed)]
    ]
    of_the_run = delivery.c.run == run if run is not None else delivery.c.run.is_(None)
    done = books.execute(
        delivery.delete().where(*_waiting(), of_the_run, ~sa.or_(sa.false(), *still_owed))
    )
    return done.rowcount


def _waiting(kinds: Iterable[MessageKind] = REMINDERS) -> list[sa.ColumnElement[bool]]:
    return [
        delivery.c.status.in_(_WAITING),
        delivery.c.kind.in_(list(kinds)),
        ~delivery.c.possible_duplicate,
        ~sa.exists().where(bounce.c.delivery_key == delivery.c.key),
    ]
