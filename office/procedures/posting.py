"""Posting what was taken, refusing to go on while it is stuck, telling of a silent service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cash_receipting.circuit_breaker import News, take_news
from cash_receipting.posting import PostingCounts, post_due
from database.audit import record_audit
from database.postings import Unposted, count_unposted, require_posted, stuck_postings
from domain.deliveries import MessageKind
from domain.words import say_count
from office.equipment.office import Office

SERVICE_WORDS = {News.DOWN: "does not answer", News.BACK: "answers again"}


def post_what_is_due(office: Office, *, forced: bool) -> dict[str, Any]:
    """Post what is due, or with `forced` all that waits; return the counts and a sentence."""
    counts = post_due(office.database, office.cash_receipting, office.due_now, forced=forced)
    figures = posting_figures(office, counts)
    if counts.posted or counts.rejected or forced:
        with office.database.writing() as books:
            moment, told = office.due_now(), figures["sentence"]
            record_audit(books, moment, office.who, "post payments", "cash receipting", told)
    return figures


def posting_figures(office: Office, counts: PostingCounts) -> dict[str, Any]:
    """Give what one round did, and what is still unposted, as programs read it."""
    left = count_unposted(office.database)
    return {
        "sentence": say_posting(counts, left),
        "posted": counts.posted,
        "amount": str(counts.amount),
        "put_off": counts.put_off,
        "rejected": counts.rejected,
        "stopped_by": counts.stopped_by,
        "unposted": left.count,
        "unposted_amount": str(left.amount),
    }


def tell_office(office: Office) -> int:
    """
    Record the mails that say that cash receipting is down, or back (rules 186-188).

    Once an outage and address; returns how many are new.
    """
    from mail.outbox.planned import PlannedMessage
    from mail.outbox.queueing import queue_messages
    from mail.rendering.alerts import (  # letters take long to load, and are rarely written
        BACK,
        DOWN,
    )
    from office.health.alert_ways import queue_posts

    now = office.due_now()
    with office.database.writing() as books:
        taken = take_news(books, office.cash_receipting.name, now)
        if taken is None:
            return 0
        news, outage = taken
        record_audit(books, now, office.who, f"service {news}", office.cash_receipting.name)
        title = f"billclose: {office.cash_receipting.name} " + SERVICE_WORDS[news]
        text = f"{title}. Customers are not charged again, and nothing is lost."
        form = {News.DOWN: DOWN, News.BACK: BACK}[news]
        queue_posts(books, office, outage, form, title, text, now)
        alerts = [
            PlannedMessage(MessageKind.ALERT, outage, address, form=form)
            for address in office.settings.alerts.to
        ]
        return queue_messages(books, alerts, now=now, message_domain=office.message_domain)


def require_fresh_balances(
    office: Office, now: datetime, act: str, subject: str, despite: str | None
) -> None:
    """Raise Refused while postings are stuck, unless a person gave a reason, which is audited."""
    if despite is None:
        require_posted_here(office, now)
        return
    stuck = stuck_postings(office.database, now, _stuck_after(office))
    if stuck.count:
        with office.database.writing() as books:
            detail = f"{stuck} not posted: {despite}"
            record_audit(books, now, office.who, f"{act} despite stuck postings", subject, detail)


def require_posted_here(office: Office, now: datetime) -> None:
    """Raise Refused (`postings-stuck`) by the office's own patience; writes nothing."""
    require_posted(office.database, now, _stuck_after(office))


def _stuck_after(office: Office) -> timedelta:
    return timedelta(minutes=office.settings.cash_receipting.stuck_after_minutes)


def say_posting(counts: PostingCounts, unposted: Unposted) -> str:
    """Say what one round did, for people."""
    sentence = f"{say_count(counts.posted, 'payment')} posted"
    if counts.posted:
        sentence += f", {counts.amount.dollars()}"
    if counts.rejected:
        sentence += f"; {counts.rejected:,} for a person"
    if unposted.count:
        sentence += f"; {unposted.count:,} not posted"
    if unposted.rejected:
        sentence += f", {unposted.rejected:,} of them until somebody decides (--again or --by-hand)"
    return sentence + (f"; stopped: {counts.stopped_by}" if counts.stopped_by else "")
