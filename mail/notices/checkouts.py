"""Mails about payments by hand: the receipt, and the word that one came to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.checkout import checkout
from database.tables import draw, gateway_payment
from domain.deliveries import MessageKind, RecipientSource
from domain.payments import PaymentState
from mail.letters.notices import NOT_TAKEN, TAKEN_BACK
from mail.notices.payments import TOLD_FOR, NoticeCounts, Notifying
from mail.outbox.queueing import PlannedMessage, queue_messages

_PAYMENT = gateway_payment.c
_TOLD_LATEST = 10 * TOLD_FOR  # a bank takes back weeks later


def queue_checkout_mails(
    database: Database, terms: Notifying, key: str | None = None
) -> NoticeCounts:
    """
    Record the mails that payments by hand owe to whoever made them; each once, whatever happens.

    A receipt for what was taken (rule 196). Who was told that the outcome is not known hears of
    the end in any case; a no at once stands on the page and needs no mail. One that came back is
    told as well. `key`: of that checkout alone.
    """
    counts = NoticeCounts()
    owed = _owed(terms) if key is None else _owed(terms).where(checkout.c.key == key)
    with database.reading() as books:
        rows = books.execute(owed).all()
    counts.queued = len(rows)
    if rows and terms.records:
        with database.writing() as books:
            counts.queued = _record(books, rows, terms)
    return counts


def _record(books: Connection, rows: Sequence[Any], terms: Notifying) -> int:
    for row in rows:
        books.execute(
            checkout.update().where(checkout.c.key == row.checkout).values(told=row.state)
        )
    messages = [_to_message(row) for row in rows]
    return queue_messages(books, messages, now=terms.now, message_domain=terms.message_domain)


def _owed(terms: Notifying) -> sa.Select[Any]:
    was_in_doubt = draw.c.lookups > 0
    over = (PaymentState.DECLINED, PaymentState.CANCELLED)
    is_worth_a_mail = sa.or_(
        _PAYMENT.state.in_((PaymentState.SUCCEEDED, PaymentState.RETURNED)),
        sa.and_(_PAYMENT.state.in_(over), was_in_doubt),
    )
    is_told = sa.and_(checkout.c.told.is_not(None), checkout.c.told == _PAYMENT.state)
    return (
        sa.select(
            checkout.c.key.label("checkout"),
            checkout.c.address,
            _PAYMENT.key,
            _PAYMENT.account,
            _PAYMENT.period,
            _PAYMENT.state,
        )
        .join(gateway_payment, _PAYMENT.key == checkout.c.payment_key)
        .join(draw, draw.c.payment_key == _PAYMENT.key)
        .where(is_worth_a_mail, ~is_told, checkout.c.submitted_at >= terms.now - _TOLD_LATEST)
        .order_by(_PAYMENT.key)
    )


_FORMS = {
    PaymentState.SUCCEEDED: MessageKind.RECEIPT.value,
    PaymentState.RETURNED: TAKEN_BACK,
    PaymentState.DECLINED: NOT_TAKEN,
    PaymentState.CANCELLED: NOT_TAKEN,
}


def _to_message(row: Any) -> PlannedMessage:
    return PlannedMessage(
        MessageKind.RECEIPT,
        about=row.key,
        address=row.address,
        source=RecipientSource.PORTAL_USER,
        account=row.account,
        period=row.period,
        form=_FORMS[row.state],
    )
