"""Steps: post what was taken; tell the office when cash receipting falls silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from prefect import State, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from cash_receipting.circuit_breaker import News, take_news
from cash_receipting.posting import PostingCounts, post_due
from database.audit import record_audit
from database.postings import count_unposted, require_posted, stuck_postings
from database.runs import get_run
from domain.deliveries import MessageKind
from domain.words import say_count
from mail.outbox.queueing import PlannedMessage, queue_messages
from mail.rendering.alerts import BACK, DOWN
from office.equipment.office import Office, office

FORMS = {News.DOWN: DOWN, News.BACK: BACK}


@task(name="post payments", retries=0, cache_policy=NO_CACHE, persist_result=False)
def post_payments(now: bool = False) -> dict[str, Any]:
    """
    Enter in cash receipting what was taken and is due; nobody is charged (rules 85, 87).

    `now`: what rests is due at once, and a service that is down is probed. Gives the counts, what
    is still unposted and a sentence.
    """
    here = office()
    counts = post_due(here.database, here.cash_receipting, here.due_now, forced=now)
    left = count_unposted(here.database)
    sentence = say_posting(counts, left.count)
    if counts.posted or counts.rejected or now:
        with here.database.writing() as books:
            record_audit(
                books, here.due_now(), here.who, "post payments", "cash receipting", sentence
            )
    get_run_logger().info("post payments: %s", sentence)
    return {
        "sentence": sentence,
        "posted": counts.posted,
        "amount": str(counts.amount),
        "put_off": counts.put_off,
        "rejected": counts.rejected,
        "stopped_by": counts.stopped_by,
        "unposted": left.count,
        "unposted_amount": str(left.amount),
    }


@task(name="tell of cash receipting", retries=0, cache_policy=NO_CACHE, persist_result=False)
def tell_of_cash_receipting() -> int:
    """
    Record the mails that say that cash receipting is down, or back (rules 186-188).

    Once an outage and address; returns how many are new.
    """
    here = office()
    now = here.due_now()
    with here.database.writing() as books:
        taken = take_news(books, here.cash_receipting.name, now)
        if taken is None:
            return 0
        news, outage = taken
        record_audit(books, now, here.who, f"service {news}", here.cash_receipting.name)
        alerts = [
            PlannedMessage(MessageKind.ALERT, outage, address, form=FORMS[news])
            for address in here.settings.alerts.to
        ]
        return queue_messages(books, alerts, now=now, message_domain=here.message_domain)


@task(
    name="guard postings",
    task_run_name="guard postings {run}",
    retries=0,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def guard_postings(run: str, despite: str | None = None) -> State[Any]:
    """
    Refuse to close while payments were taken and are not posted (Refused, `postings-stuck`).

    The billing system does not know of them, so its bills would ask for them again. `despite` is
    a person's reason to go on, which is audited. A period that is closed stays so.
    """
    here = office()
    known = get_run(here.database, run)
    if not known.is_closed:
        require_fresh_balances(here, here.clock.due(known.timezone), "close", run, despite)
    return Completed(message="closed before" if known.is_closed else _say_fresh(despite))


def _say_fresh(despite: str | None) -> str:
    return f"goes on despite stuck postings: {despite}" if despite else "no posting is stuck"


@task(name="guard draws", retries=0, cache_policy=NO_CACHE, persist_result=False)
def guard_draws(despite: str | None = None) -> None:
    """
    Refuse to draw while payments were taken and are not posted (Refused, `postings-stuck`).

    Who paid at the office meanwhile is not known here, and might be drawn from for it again.
    """
    here = office()
    require_fresh_balances(here, here.due_now(), "collect", "autopay", despite)


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
