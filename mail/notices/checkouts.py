"""Mails about payments by hand: the receipt, and the word that one came to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.checkout import checkout
from database.ledger.tables import payment_event
from database.queries.payment_events import MoneyMoved
from database.tables import draw, gateway_payment
from domain.deliveries import MessageKind, RecipientSource
from domain.payments import PaymentState
from mail.letters.notices import NOT_TAKEN, OF_EVENT, TAKEN_BACK
from mail.notices.payments import TOLD_FOR, NoticeCounts, Notifying
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages

_PAYMENT = gateway_payment.c
_TOLD_LATEST = 10 * TOLD_FOR  # a bank takes back weeks later


def queue_checkout_mails(
    database: Database, terms: Notifying, key: str | None = None, *, reads_page: bool = False
) -> NoticeCounts:
    """
    Record the mails that payments by hand owe to whoever made them; each once, whatever happens.

    A receipt for what was taken (rule 196), and that nothing was taken: whoever was told that the
    outcome is not known, or whose request died, hears of the end in any case. What went back of
    one, or came again, is told as well, each time it does. `key`: of that checkout alone;
    `reads_page`: its customer is led to its page at this moment, and needs no mail of a no.
    """
    counts = NoticeCounts()
    with database.reading() as books:
        since = {"since": terms.now - _TOLD_LATEST, "key": key}
        rows = books.execute(_owed(key is not None), since).all()
        since = {"since": terms.now - TOLD_FOR, "key": key}
        events = books.execute(_moved(key is not None), since).all()
    counts.queued = len(rows) + len(events)
    if counts.queued and terms.records:
        with database.writing() as books:
            counts.queued = _record(books, rows, terms, reads_page=reads_page)
            told = [_to_message(row, f"{OF_EVENT}{_short(row)}", TAKEN_BACK) for row in events]
            counts.queued += queue_messages(
                books, told, now=terms.now, message_domain=terms.message_domain
            )
    return counts


def _of(query: sa.Select[Any], is_one: bool) -> sa.Select[Any]:
    return query.where(checkout.c.key == sa.bindparam("key")) if is_one else query


def _record(books: Connection, rows: Sequence[Any], terms: Notifying, *, reads_page: bool) -> int:
    for row in rows:
        books.execute(
            checkout.update().where(checkout.c.key == row.checkout).values(told=row.state)
        )
    messages = [
        _to_message(row, "", _FORMS[row.state])
        for row in rows
        if row.state is PaymentState.SUCCEEDED or not reads_page
    ]
    return queue_messages(books, messages, now=terms.now, message_domain=terms.message_domain)


@cache  # to put it together costs more than to run it
def _owed(is_one: bool) -> sa.Select[Any]:
    is_told = sa.and_(checkout.c.told.is_not(None), checkout.c.told == _PAYMENT.state)
    query = (
        sa.select(
            checkout.c.key.label("checkout"),
            checkout.c.address,
            _PAYMENT.key,
            _PAYMENT.account,
            _PAYMENT.period,
            _PAYMENT.state,
        )
        .join(gateway_payment, _PAYMENT.key == checkout.c.payment_key)
        .where(
            _PAYMENT.state.in_(list(_FORMS)),
            ~is_told,
            checkout.c.submitted_at >= sa.bindparam("since"),
        )
        .order_by(_PAYMENT.key)
    )
    return _of(query, is_one)


@cache
def _moved(is_one: bool) -> sa.Select[Any]:
    """Select what became of payments by hand after they were taken; the key tells each once."""
    event = payment_event.c
    query = (
        sa.select(
            event.event_id,
            event.kind,
            event.amount,
            event.happened_at,
            checkout.c.address,
            _PAYMENT.key,
            _PAYMENT.account,
            _PAYMENT.period,
        )
        .join(draw, draw.c.key == event.draw_key)
        .join(gateway_payment, _PAYMENT.key == draw.c.payment_key)
        .join(checkout, checkout.c.payment_key == _PAYMENT.key)
        .where(event.recorded_at >= sa.bindparam("since"))
        .order_by(event.event_id)
    )
    return _of(query, is_one)


def _short(row: Any) -> str:
    return MoneyMoved(row.event_id, row.kind, row.amount, row.happened_at).short


_FORMS = {
    PaymentState.SUCCEEDED: MessageKind.RECEIPT.value,
    PaymentState.DECLINED: NOT_TAKEN,
    PaymentState.CANCELLED: NOT_TAKEN,
}


def _to_message(row: Any, of_event: str, form: str) -> PlannedMessage:
    return PlannedMessage(
        MessageKind.RECEIPT,
        about=row.key + of_event,
        address=row.address,
        source=RecipientSource.PORTAL_USER,
        account=row.account,
        period=row.period,
        form=form,
    )
