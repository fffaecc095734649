"""What needs a person of the office, counted in the books: for the mail that says so."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import delivery, posting, scheduled_payment, service_health
from domain.deliveries import DeliveryStatus, MessageKind
from domain.payments import PaymentState, PostingKind, PostingState
from domain.words import say_count


def find_alert_facts(database: Database, run: str | None) -> tuple[str, ...]:
    """
    Return a sentence for each thing that waits for a person in a run, or in all of them.

    The dearest comes first: what does not answer (rules 186, 187), money that was taken and is
    not booked (rules 84-86), a payment that nobody knows the outcome of, mail that did not leave.
    """
    payments, mails = scheduled_payment.c, delivery.c
    unposted = _count(payments.run, run, posting.join(scheduled_payment)).where(
        posting.c.state != PostingState.POSTED
    )
    is_receipt = posting.c.kind == PostingKind.RECEIPT  # reversals and fees are no payments
    unknown = _count(payments.run, run, scheduled_payment).where(
        payments.state == PaymentState.UNKNOWN
    )
    unsent = _count(mails.run, run, delivery).where(mails.kind != MessageKind.ALERT)
    with database.reading() as books:
        counts = (
            (unposted.where(is_receipt), "payment", "taken and not posted in cash receipting"),
            (unposted.where(~is_receipt), "posting", "of a returned payment, not entered there"),
            (unknown, "payment", "asked for without an answer"),
            (unsent.where(mails.status == DeliveryStatus.FAILED), "mail", "not sent for good"),
            (unsent.where(mails.status == DeliveryStatus.IN_DOUBT), "mail", "perhaps sent"),
        )
        found = [(books.scalar(query), noun, what) for query, noun, what in counts]
        down = tuple(_silent_services(books))
    return down + tuple(
        f"{say_count(number, noun)}: {what}." for number, noun, what in found if number
    )


def _count(
    column: sa.ColumnElement[Any], run: str | None, rows: sa.FromClause
) -> sa.Select[tuple[int]]:
    query = sa.select(sa.func.count()).select_from(rows)
    return query.where(column == run) if run else query


def _silent_services(books: Connection) -> list[str]:
    query = (
        sa.select(service_health.c.service)
        .where(service_health.c.down_since.is_not(None))
        .order_by(service_health.c.service)
    )
    return [f"{name} does not answer." for name in books.scalars(query)]
