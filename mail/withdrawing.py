"""Reminders that wait to be sent and are not owed any more: taken out of the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from database.tables import bounce, delivery
from domain.deliveries import DeliveryStatus
from domain.words import say_count
from mail.reminder_selection import debts, due_dates
from mail.reminding import REMINDERS, Reminding

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


def _withdraw(books: Connection, run: str | None, terms: Reminding) -> int:
    still_owed = [
        sa.and_(
            delivery.c.form == owed.step.form,
            delivery.c.account_key.in_(
                sa.select(found.c.account_key).where(found.c.reason.is_(None))
            ),
        )
        for due in due_dates(books, run)
        for owed in due.owed(terms.plan, terms.now)
        for found in [debts(due, owed.step.kind, terms.plan, owed)]
    ]
    of_the_run = delivery.c.run == run if run is not None else delivery.c.run.is_(None)
    done = books.execute(
        delivery.delete().where(*_waiting(), of_the_run, ~sa.or_(sa.false(), *still_owed))
    )
    return done.rowcount


def _waiting() -> list[sa.ColumnElement[bool]]:
    return [
        delivery.c.status.in_(_WAITING),
        delivery.c.kind.in_(REMINDERS),
        ~delivery.c.possible_duplicate,
        ~sa.exists().where(bounce.c.delivery_key == delivery.c.key),
    ]
