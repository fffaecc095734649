"""Posting what was taken, refusing to go on while it is stuck, telling of a silent service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cash_receipting.circuit_breaker import News, take_news
from cash_receipting.posting import PostingCounts, post_due
from database.audit import record_audit
from database.postings import count_unposted, require_posted, stuck_postings
from domain.deliveries import MessageKind
from domain.words import say_count
from mail.outbox.queueing import PlannedMessage, queue_messages
from mail.rendering.alerts import BACK, DOWN
from office.equipment.office import Office
from office.health.alert_ways import queue_posts

FORMS = {News.DOWN: DOWN, News.BACK: BACK}
SERVICE_WORDS = {News.DOWN: "does not answer", News.BACK: "answers again"}


def post_what_is_due(here: Office, *, forced: bool) -> dict[str, Any]:
    """Post what is due, or with `forced` all that waits; return the counts and a sentence."""
    counts = post_due(here.database, here.cash_receipting, here.due_now, forced=forced)
    figures = posting_figures(here, counts)
    if counts.posted or counts.rejected or forced:
        with here.database.writing() as books:
            moment, told = here.due_now(), figures["sentence"]
            record_audit(books, moment, here.who, "post payments", "cash receipting", told)
    return figures


def posting_figures(here: Office, counts: PostingCounts) -> dict[str, Any]:
    """Give what one round did, and what is still unposted, as programs read it."""
    left = count_unposted(here.database)
    return {
        "sentence": say_posting(counts, left.count),
        "posted": counts.posted,
        "amount": str(counts.amount),
        "put_off": counts.put_off,
        "rejected": counts.rejected,
        "stopped_by": counts.stopped_by,
        "unposted": left.count,
        "unposted_amount": str(left.amount),
    }


def tell_office(here: Office) -> int:
    """
    Record the mails that say that cash receipting is down, or back (rules 186-188).

    Once an outage and address; returns how many are new.
    """
    now = here.due_now()
    with here.database.writing() as books:
        taken = take_news(books, here.cash_receipting.name, now)
        if taken is None:
            return 0
        news, outage = taken
        record_audit(books, now, here.who, f"service {news}", here.cash_receipting.name)
        title = f"billclose: {here.cash_receipting.name} " + SERVICE_WORDS[news]
        text = f"{title}. Customers are not charged again, and nothing is lost."
        queue_posts(books, here, outage, FORMS[news], title, text, now)
        alerts = [
            PlannedMessage(MessageKind.ALERT, outage, address, form=FORMS[news])
            for address in here.settings.alerts.to
        ]
        return queue_messages(books, alerts, now=now, message_domain=here.message_domain)


def require_fresh_balances(
    here: Office, now: datetime, act: str, subject: str, despite: str | None
) -> None:
    """Raise Refused while postings are stuck, unless a person gave a reason, which is audited."""
    if despite is None:
        require_posted_here(here, now)
        return
    stuck = stuck_postings(here.database, now, _stuck_after(here))
    if stuck.count:
        with here.database.writing() as books:
            detail = f"{stuck} not posted: {despite}"
            record_audit(books, now, here.who, f"{act} despite stuck postings", subject, detail)


def require_posted_here(here: Office, now: datetime) -> None:
    """Raise Refused (`postings-stuck`) by the office's own patience; writes nothing."""
    require_posted(here.database, now, _stuck_after(here))


def _stuck_after(here: Office) -> timedelta:
    return timedelta(minutes=here.settings.cash_receipting.stuck_after_minutes)


def say_posting(counts: PostingCounts, unposted: int) -> str:
    """Say what one round did, for people."""
    sentence = f"{say_count(counts.posted, 'payment')} posted"
    if counts.posted:
        sentence += f", {counts.amount.dollars()}"
    if counts.rejected:
        sentence += f"; {counts.rejected:,} for a person"
    if unposted:
        sentence += f"; {unposted:,} not posted"
    return sentence + (f"; stopped: {counts.stopped_by}" if counts.stopped_by else "")
