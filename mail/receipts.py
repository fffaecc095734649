"""Receipts: which payments drawn by autopay call for one (rules 100, 196)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import account, scheduled_payment
from domain.deliveries import MessageKind
from domain.payments import PaymentState
from mail.announcing import NoticeCounts, Notifying, queue_notices

TOLD_FOR = timedelta(days=14)  # a receipt that comes later is no news
_PAYMENT = scheduled_payment.c


def queue_receipts(database: Database, terms: Notifying) -> NoticeCounts:
    """
    Record a receipt for each payment that was drawn in the last weeks; once, whatever happens.

    One that came back meanwhile gets none: the customer hears of that instead.
    """
    if not terms.receipts:
        return NoticeCounts()

    def find(books: Connection) -> list[tuple[str, sa.Select[Any]]]:
        drawn = sa.and_(
            _PAYMENT.state == PaymentState.SUCCEEDED, _PAYMENT.taken_at >= terms.now - TOLD_FOR
        )
        runs = books.scalars(sa.select(_PAYMENT.run).where(drawn).distinct().order_by(_PAYMENT.run))
        return [(run, payments_of(run, drawn)) for run in runs]

    return queue_notices(database, MessageKind.RECEIPT, find, terms)


def payments_of(run: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select payments of a run with what a notice needs, in the order of their account keys."""
    same_account = sa.and_(
        account.c.run == _PAYMENT.run, account.c.account_key == _PAYMENT.account_key
    )
    return (
        sa.select(
            _PAYMENT.account_key,
            _PAYMENT.account,
            account.c.cosigner_id,
            _PAYMENT.key.label("about"),
        )
        .join(account, same_account)
        .where(_PAYMENT.run == run, *conditions)
        .order_by(_PAYMENT.account_key, _PAYMENT.number)
    )
