"""The mails about a bill that is held back: what waits is taken out, what has left is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.counting import count_by
from database.definitions.texts import text_message
from database.tables import bounce, delivery
from domain.deliveries import WAITING, DeliveryStatus, MessageKind
from mail.outbox.deliveries import OF_THE_BILL
from mail.texts.recording import withdraw_texts

_MAY_ARRIVE = (DeliveryStatus.SENDING, DeliveryStatus.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class WithdrawnMails:
    """How many were taken out, and of the e-bills: how many left, and may have left."""

    taken_out: int
    sent: int
    in_doubt: int
    last_sent_at: datetime | None


def withdraw_bill_mails(books: Connection, period: str, account_key: str) -> WithdrawnMails:
    """
    Take the waiting mails about one bill out of the outbox: the e-bill, reminders, draw notices.

    What may have left stays recorded, and is not tried again while the bill is held. A mail that
    is taken out is recorded anew when the bill is released, under the same key.
    """
    ours = (delivery.c.period == period, delivery.c.account_key == account_key)
    taken = books.execute(
        delivery.delete().where(
            *ours,
            delivery.c.kind.in_(OF_THE_BILL),
            delivery.c.status.in_(WAITING),
            ~delivery.c.possible_duplicate,
            ~sa.exists().where(bounce.c.delivery_key == delivery.c.key),
        )
    ).rowcount
    texts = text_message.c
    taken += withdraw_texts(
        books, period, texts.account_key == account_key, texts.kind.in_(OF_THE_BILL)
    )
    is_bill = (*ours, delivery.c.kind == MessageKind.BILL)
    left = count_by(books, delivery.c.status, *is_bill)
    last = books.scalar(sa.select(sa.func.max(delivery.c.sent_at)).where(*is_bill))
    return WithdrawnMails(
        taken,
        left.get(DeliveryStatus.SENT, 0),
        sum(left.get(status, 0) for status in _MAY_ARRIVE),
        last,
    )
