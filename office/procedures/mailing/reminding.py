"""Reminders and notices that are owed: looked at without recording, and told as figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from database.books import Database
from domain.deliveries import MessageKind
from domain.words import say_count
from mail.notices.checkouts import queue_checkout_mails
from mail.notices.expiring import queue_expiring
from mail.notices.payments import NoticeCounts, Notifying, queue_draw_notices, queue_receipts
from mail.reminders.exemptions import Undrawn
from mail.reminders.queueing import ReminderCounts

Figures = dict[str, Any]


def queue_all_receipts(database: Database, terms: Notifying) -> NoticeCounts:
    """Record receipts of autopay's payments, which an office may do without, and those by hand."""
    counts = queue_receipts(database, terms)
    counts.queued += queue_checkout_mails(database, terms).queued
    return counts


QUEUES: dict[MessageKind, Callable[[Database, Notifying], NoticeCounts]] = {
    MessageKind.RECEIPT: queue_all_receipts,
    MessageKind.AUTOPAY_SCHEDULED: queue_draw_notices,
    MessageKind.METHOD_EXPIRING: queue_expiring,
}


def look_at_notices(database: Database, terms: Notifying) -> dict[str, Figures]:
    """Count by kind what is owed and not recorded; records nothing where the terms say so."""
    return {kind.value: to_notice_figures(queue(database, terms)) for kind, queue in QUEUES.items()}


def to_notice_figures(counts: NoticeCounts) -> Figures:
    """Give what was recorded of one kind as programs read it."""
    skipped = {reason.value: number for reason, number in sorted(counts.skipped.items())}
    return {"queued": counts.queued, "skipped": skipped}


def to_figures(counts: ReminderCounts) -> Figures:
    """Give what is owed of one kind as programs read it."""
    return {
        "owed": counts.owed,
        "queued": counts.queued,
        "already_sent": counts.already_sent,
        "queued_before": counts.owed - counts.queued - counts.already_sent,
        "skipped": {reason.value: number for reason, number in sorted(counts.skipped.items())},
        "holds": [
            {
                "hold": hold.number,
                "until": hold.until.isoformat(),
                "reason": hold.reason,
                "accounts": number,
            }
            for hold, number in counts.holds.items()
        ],
    }


def say_queued(counts: ReminderCounts) -> str:
    """Say what is owed of one kind, for people."""
    sentence = f"{say_count(counts.owed, 'mail')} owed, {counts.queued:,} new"
    if counts.already_sent:
        sentence += f", {counts.already_sent:,} sent before"
    reasons = [f"{number:,} {reason}" for reason, number in sorted(counts.skipped.items())]
    return sentence + (f"; accounts left out: {', '.join(reasons)}" if reasons else "")


def undrawn_figures(found: Undrawn) -> Figures:
    """Give what was not drawn on its day as programs read it."""
    since = found.since.isoformat() if found.since else None
    return {"payments": found.payments, "amount": str(found.amount), "since": since}
