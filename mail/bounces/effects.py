"""What a bounce does to its delivery, its mailbox and its bill."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import bounce, delivery
from domain.bounces import IN_WORDS, BounceKind, Judgement
from domain.deliveries import DeliveryStatus
from mail.bounces.inbox import ReturnedMail
from mail.bounces.reading import DeliveryReport, ParsedBounce
from mail.message.mime import one_line
from mail.outbox.deliveries import DELIVERY
from mail.recipients.suppressed import put_on_paper, soft_runs, suppress
from mail.smtp.replies import LONGEST, Reply
from rules.mail.bounces import is_worn_out

LONGEST_NAME = 200  # characters of a file's name, its end
_MOVED = (DeliveryStatus.SENT, DeliveryStatus.IN_DOUBT)


def record_bounce(
    books: Connection,
    mail: ReturnedMail | None,
    returned: ParsedBounce,
    now: datetime,
    found: sa.Row[Any] | None,
    report: DeliveryReport,
    judgement: Judgement,
) -> None:
    """
    Write down what came back; without a `mail` it was refused at sending.

    The customer's address is left out of what servers said: the delivery has it. Only where
    nobody knows whose it is, the address that the mail names stays, for a person to judge by.
    """
    address = "" if found is None else found.address
    said = Reply(int(report.status[:1] or 0) * 100, report.diagnostic).without(address)
    told_in_words = IN_WORDS if report.status else "none"
    action = told_in_words if returned.in_words and report.action == "failed" else report.action
    books.execute(
        bounce.insert().values(
            id=returned.id,
            received_at=now if mail is None else mail.received_at,
            processed_at=now,
            delivery_key=None if found is None else found.key,
            action=action or "none",
            status=report.status,
            kind=judgement.kind,
            diagnostic=said.partition(" ")[2],
            recipient=None if found is not None else _without(returned.recipient, ""),
            sender=_without(returned.sender, address),
            subject=_without(returned.subject, address),
            first_lines=_without(returned.first_lines, address),
            file_name=None if mail is None else mail.name[-LONGEST_NAME:],
        )
    )


def _without(text: str, address: str) -> str | None:
    """Return a text in one line without a customer's address; None for an empty one."""
    known = Reply(0, text).without(address).partition(" ")[2] if address else one_line(text)
    return known[:LONGEST] or None


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
    if found.period is not None:
        counted["paper"] += put_on_paper(books, found.period, found.account_key)
    counted["policy"] += judgement.alerts
    return counted
