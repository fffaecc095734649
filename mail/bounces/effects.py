"""What a bounce does to its delivery, its mailbox and its bill."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import bounce, delivery
from domain.bounces import BounceKind, Judgement
from domain.deliveries import DeliveryStatus
from mail.bounces.reading import DeliveryReport
from mail.outbox.deliveries import DELIVERY
from mail.recipients.suppressed import put_on_paper, soft_runs, suppress
from mail.smtp.replies import Reply
from rules.bounces import is_worn_out

_MOVED = (DeliveryStatus.SENT, DeliveryStatus.IN_DOUBT)


def record_bounce(
    books: Connection,
    identity: str,
    received_at: datetime,
    now: datetime,
    found: sa.Row[Any] | None,
    report: DeliveryReport,
    judgement: Judgement,
) -> None:
    """Write one bounce down, the customer's address left out of what the server said."""
    code = int(report.status[:1] or 0) * 100
    said = Reply(code, report.diagnostic).without(found.address if found is not None else "")
    books.execute(
        bounce.insert().values(
            id=identity,
            received_at=received_at,
            processed_at=now,
            delivery_key=None if found is None else found.key,
            action=report.action or "none",
            status=report.status,
            kind=judgement.kind,
            diagnostic=said.partition(" ")[2],
        )
    )


def carry_out(
    books: Connection,
    found: sa.Row[Any],
    judgement: Judgement,
    status: str,
    now: datetime,
    who: str,
) -> Counter[str]:
    """Do what follows from a bounce to its delivery, its mailbox and its bill; count it."""
    counted: Counter[str] = Counter()
    if not judgement.fails:
        return counted
    if found.status in _MOVED:
        after = DELIVERY.after(found.status, "bounced")
        books.execute(
            delivery.update()
            .where(delivery.c.key == found.key)
            .values(status=after, bounced_at=now, error=f"bounced: {status}")
        )
    worn_out = judgement.kind is BounceKind.SOFT and is_worn_out(
        soft_runs(books, found.address.casefold())
    )
    if (judgement.suppresses or worn_out) and suppress(books, found.key, status, now=now, who=who):
        counted["suppressed"] += 1
    if found.run is not None:
        counted["paper"] += put_on_paper(books, found.run, found.account_key)
    counted["policy"] += judgement.alerts
    return counted
