"""Draws that stop at the customer's maximum: whoever pays the rest must hear of it (ruling 3)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import balance_due, scheduled_payment
from domain.deliveries import MessageKind
from domain.payments import PaymentState
from mail.announcing import NoticeCounts, Notifying, queue_notices
from mail.receipts import payments_of

_PAYMENT = scheduled_payment.c


def queue_capped_draws(database: Database, terms: Notifying) -> NoticeCounts:
    """
    Record the mail before a draw (`autopay-scheduled`) for each that leaves a rest to be paid.

    It says how much is drawn, and how much is left to pay by when. Once for each payment and
    mailbox, whoever records it.
    """

    def find(books: Connection) -> list[tuple[str, sa.Select[Any]]]:
        leaves_rest = sa.exists().where(
            balance_due.c.run == _PAYMENT.run,
            balance_due.c.account_key == _PAYMENT.account_key,
            balance_due.c.amount_due - balance_due.c.paid > _PAYMENT.amount,
        )
        capped = sa.and_(
            _PAYMENT.state == PaymentState.SCHEDULED, _PAYMENT.number == 1, leaves_rest
        )
        runs = books.scalars(
            sa.select(_PAYMENT.run).where(capped).distinct().order_by(_PAYMENT.run)
        )
        return [(run, payments_of(run, capped)) for run in runs.all()]

    return queue_notices(database, MessageKind.AUTOPAY_SCHEDULED, find, terms)
