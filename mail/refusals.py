"""Mails that a server refused while they were sent: what follows is the same as of a bounce."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.tables import bounce, delivery
from domain.deliveries import DeliveryStatus
from mail.bounce_effects import carry_out, record_bounce
from mail.bounce_reading import Report, to_status
from mail.bouncing import BounceCounts
from mail.falling_back import put_on_paper
from rules.bounces import judge

_REPLY = re.compile(r"[45]\d\d( |$)")


def settle_refusals(
    database: Database, run: str | None = None, *, now: datetime, who: str
) -> BounceCounts:
    """
    Draw the conclusions from what failed at sending: mailboxes suppressed, bills put on paper.

    Each refusal counts once, however often this is done. Without a run, those of all runs are
    looked at; so what a kill left undone is made up for.
    """
    counted: Counter[str] = Counter()
    with database.writing() as books:
        for row in books.execute(_refused(run)).all():
            identity = _identity(row)
            known = sa.select(bounce.c.id).where(bounce.c.id == identity)
            if not _REPLY.match(row.error) or books.execute(known).first():
                continue
            report = Report("failed", to_status("", row.error), row.error)
            judgement = judge(report.action, report.status)
            record_bounce(books, identity, now, now, row, report, judgement)
            counted[judgement.kind.value] += 1
            counted.update(carry_out(books, row, judgement, report.status, now, who))
        counted["paper"] += put_on_paper(books, run)
    return BounceCounts(**counted)


def _refused(run: str | None) -> sa.Select[Any]:
    """Select what a server said no to; what we refused ourselves says nothing of the mailbox."""
    select = sa.select(delivery).where(
        delivery.c.status == DeliveryStatus.FAILED,
        delivery.c.bounced_at.is_(None),
        sa.or_(delivery.c.error.startswith("4"), delivery.c.error.startswith("5")),
    )
    return select if run is None else select.where(delivery.c.run == run)


def _identity(row: sa.Row[Any]) -> str:
    """Name one refusal: a mail that a person sends again may be refused again."""
    told = f"refused/{row.next_try_at.isoformat()}/{row.attempts}/{row.key}"
    return hashlib.sha256(told.encode()).hexdigest()
