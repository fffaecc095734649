"""Steps: record the notices about payments that customers are owed, send them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from prefect import State, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from database.auditing import record_audit
from database.books import Database
from domain.deliveries import MessageKind
from domain.words import say_count
from mail.announcing import NoticeCounts, Notifying
from mail.draw_notices import queue_draw_notices
from mail.receipts import queue_receipts
from office.notice_terms import notifying_of
from office.wiring import office
from tasks.mailing import say_tried, send_what_is_due

Figures = dict[str, Any]
QUEUES: dict[MessageKind, Callable[[Database, Notifying], NoticeCounts]] = {
    MessageKind.RECEIPT: queue_receipts,
    MessageKind.AUTOPAY_SCHEDULED: queue_draw_notices,
}


@task(name="queue receipts", retries=0, cache_policy=NO_CACHE, persist_result=False)
def queue_receipt_mails() -> Figures:
    """Record a receipt for each payment that was drawn (rule 196)."""
    return _queue(MessageKind.RECEIPT)


@task(name="queue autopay-scheduled", retries=0, cache_policy=NO_CACHE, persist_result=False)
def queue_scheduled_mails() -> Figures:
    """Record a word before each draw that must be told, where no e-bill tells it."""
    return _queue(MessageKind.AUTOPAY_SCHEDULED)


@task(name="send notices", retries=0, cache_policy=NO_CACHE, persist_result=False)
def send_notice_mails() -> State[Any]:
    """Send the notices about payments that are due."""
    here = office()
    tried = send_what_is_due(here, here.due_now, lambda _counts: None, kinds=tuple(QUEUES))
    sentence = say_tried(tried)
    if tried.sent:
        with here.database.writing() as books:
            record_audit(books, here.due_now(), here.who, "send notices", "payments", sentence)
    get_run_logger().info("send notices: %s", sentence)
    ended = Failed if tried.mailed_nobody else Completed
    return ended(message=sentence, data=asdict(tried))


def look_at_notices(database: Database, terms: Notifying) -> dict[str, Figures]:
    """Count by kind what is owed and not recorded; records nothing where the terms say so."""
    return {kind.value: to_figures(queue(database, terms)) for kind, queue in QUEUES.items()}


def to_figures(counts: NoticeCounts) -> Figures:
    """Give what was recorded of one kind as programs read it."""
    skipped = {reason.value: number for reason, number in sorted(counts.skipped.items())}
    return {"queued": counts.queued, "skipped": skipped}


def _queue(kind: MessageKind) -> Figures:
    here = office()
    counts = QUEUES[kind](here.database, notifying_of(here, here.due_now()))
    get_run_logger().info("queue %s: %s new", kind, say_count(counts.queued, "mail"))
    return to_figures(counts)
