"""Which of the mails that are owed stand in the outbox already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import delivery
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus
from mail.keys import delivery_key
from mail.queueing import PlannedMessage


def without_known(
    books: Connection, messages: Sequence[PlannedMessage]
) -> tuple[list[PlannedMessage], Counter[DeliveryStatus]]:
    """
    Return the mails that were not recorded before, and how those stand that were.

    They are of one run, kind and form and come in the order of their account keys, so what is
    known of them is one range of the outbox: PostgreSQL goes through a list of thousands of keys
    for each row that it has.
    """
    by_key = {_key(message): message for message in messages}
    known: Counter[DeliveryStatus] = Counter()
    first, last = messages[0], messages[-1]
    query = sa.select(delivery.c.key, delivery.c.status).where(
        delivery.c.run == first.run,
        delivery.c.kind == first.kind,
        delivery.c.form == first.form,
        delivery.c.account_key.between(account_key(first.account), account_key(last.account)),
    )
    for key, status in books.execute(query).all():
        if by_key.pop(key, None):
            known[status] += 1
    return list(by_key.values()), known


def _key(message: PlannedMessage) -> str:
    mailbox = message.address.casefold()
    return delivery_key(message.kind, message.about, message.form, message.account, mailbox)
