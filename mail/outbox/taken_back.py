"""What is taken back when a mail goes again: its mailbox's suppression, its place on paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.tables import bounce, delivery, paper, suppressed_address
from domain.bounces import BounceKind
from domain.deliveries import PaperReason


def lift_mailboxes(
    books: Connection, accounts: Mapping[str, str], reason: str, now: datetime, who: str
) -> None:
    """Write again to mailboxes, each given with its account; their bounces count no more."""
    for mailbox, account in accounts.items():
        books.execute(suppressed_address.delete().where(suppressed_address.c.mailbox == mailbox))
        record_audit(books, now, who, "lift suppression", account or "an address", reason)
    rows = books.execute(
        sa.select(bounce.c.id, delivery.c.address)
        .join(delivery, delivery.c.key == bounce.c.delivery_key)
        .where(bounce.c.settled_at.is_(None), bounce.c.kind != BounceKind.COMPLAINT)
    )
    ids = [row.id for row in rows if row.address.casefold() in accounts]
    for identity in ids:
        books.execute(bounce.update().where(bounce.c.id == identity).values(settled_at=now))


def take_off_paper(books: Connection, period: str, form: str, account_key: str) -> None:
    """Take a bill out of the next print batch again: its mail goes anew, and may arrive."""
    books.execute(
        paper.delete().where(
            paper.c.period == period,
            paper.c.form == form,
            paper.c.account_key == account_key,
            paper.c.reason == PaperReason.EBILL_BOUNCED,
            paper.c.part.is_(None),
        )
    )
