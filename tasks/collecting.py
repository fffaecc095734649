"""Steps of collecting: look up, draw, take in what came of earlier draws, tell customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from database.audit import record_audit
from database.queries.autopay import read_return_rates
from domain.words import say_count
from mail.notices.autopay_failures import queue_autopay_failures, queue_capped_draws
from office.equipment.office import Office, office
from office.equipment.terms import notifying_of, terms_of
from payments.collecting.collecting import CollectCounts, collect_due
from payments.collecting.draws import DrawTotals, read_open_draws
from payments.collecting.unanswered import LookupCounts, look_up_due
from payments.outcomes.events import EventCounts, take_in_events
from payments.outcomes.settlements import list_differences, read_settlements
from rules.returns import ReturnRate

Figures = dict[str, Any]


def to_figures(tally: DrawTotals) -> Figures:
    return {"count": tally.count, "amount": str(tally.amount)}


def say_lookups(found: LookupCounts) -> str:
    """Say what looking up has found, for people."""
    if not (found.approved or found.declined or found.unknown or found.stopped_by):
        return "nothing to look up"
    sentence = f"{found.approved:,} found drawn, {found.declined:,} declined"
    sentence += f", {found.unknown:,} still unknown" if found.unknown else ""
    return sentence + _stopped(found.stopped_by)


def say_collected(done: CollectCounts) -> str:
    """Say what was drawn, for people."""
    sentence = f"{say_count(done.drawn.count, 'payment')} drawn, {done.drawn.amount.dollars()}"
    if done.declined.count:
        sentence += f"; {done.declined.count:,} declined, {done.declined.amount.dollars()}"
    if done.unknown.count:
        sentence += f"; {done.unknown.count:,} without an answer"
    if done.cancelled:
        sentence += f"; {done.cancelled:,} not drawn, with a reason"
    if done.waiting:
        sentence += f"; {done.waiting:,} wait for another draw's answer"
    if done.left_out:
        sentence += f"; nothing drawn of {', '.join(sorted(done.left_out))}: old balances"
    if done.put_off:
        sentence += f"; {done.put_off:,} put off"
    return sentence + _stopped(done.stopped_by)


def say_events(found: EventCounts, rates: Sequence[ReturnRate]) -> str:
    """Say what became of earlier draws, and where too many come back, for people."""
    sentence = f"{say_count(found.returned.count, 'payment')} returned"
    if found.returned.count:
        sentence += f", {found.returned.amount.dollars()}"
    if found.refunded.count:
        sentence += f"; {found.refunded.count:,} refunded, {found.refunded.amount.dollars()}"
    if found.reinstated.count:
        sentence += f"; {found.reinstated.count:,} reinstated, {found.reinstated.amount.dollars()}"
    if found.refused:
        sentence += f"; {found.refused:,} declined by the bank"
    if found.landed.count:
        sentence += f"; {found.landed.count:,} landed late"
    if found.changes:
        sentence += f"; {say_count(found.changes, 'notice')} of change"
    if found.alarms:
        sentence += f"; {found.alarms:,} for a person"
    for rate in rates:
        if rate.is_near:
            word = "above" if rate.is_exceeded else "near"
            sentence += f"; {rate.kind} returns {word} the limit of {float(rate.limit):.1%}"
    return sentence + _stopped(found.stopped_by)


def rate_figures(rate: ReturnRate) -> Figures:
    return {
        "kind": rate.kind,
        "returned": rate.returned,
        "originated": rate.originated,
        "rate": f"{float(rate.rate):.4f}",
        "limit": f"{float(rate.limit):.4f}",
        "is_near": rate.is_near,
        "is_exceeded": rate.is_exceeded,
    }


def _stopped(why: str) -> str:
    return f"; stopped: {why}" if why else ""


TOLD_FOR = timedelta(days=14)  # a customer who hears of it later is no better off


@task(name="look up payments", retries=0, cache_policy=NO_CACHE, persist_result=False)
def look_up_payments() -> Figures:
    """Find out what became of the payments that were asked for and not answered."""
    here = office()
    found = look_up_due(here.database, here.gateway, terms_of(here), here.due_now)
    sentence = say_lookups(found)
    _tell(here, "look up payments", sentence, is_news=bool(found.approved or found.declined))
    return {"sentence": sentence, **asdict(found)}


@task(name="draw payments", retries=0, cache_policy=NO_CACHE, persist_result=False)
def draw_payments(balances: Figures) -> Figures:
    """
    Draw the scheduled payments whose day has come (rules 41, 51-59, 136-138).

    Nothing is tried again by Prefect: what is in doubt is looked up, what surely did not happen
    is due again at the next run. `balances` says which periods' are too old to draw by.
    """
    here = office()
    terms = replace(
        terms_of(here),
        left_out=frozenset(balances["left_out"]),
        feed_max_age=timedelta(seconds=balances["max_age"]) if balances["max_age"] else None,
    )
    drawn = collect_due(here.database, here.gateway, terms, here.due_now)
    sentence = say_collected(drawn)
    is_news = bool(drawn.drawn.count or drawn.declined.count or drawn.unknown.count)
    _tell(here, "collect autopay", sentence, is_news=is_news)
    return {
        "sentence": sentence,
        "drawn": to_figures(drawn.drawn),
        "declined": to_figures(drawn.declined),
        "cancelled": drawn.cancelled,
        "waiting": drawn.waiting,
        "put_off": drawn.put_off,
        "left_out": sorted(drawn.left_out | set(balances["left_out"])),
        "stopped_by": drawn.stopped_by,
    }


@task(name="take in late events", retries=0, cache_policy=NO_CACHE, persist_result=False)
def take_in_late_events() -> Figures:
    """Take in returns, charge-backs and draws that landed late; watch the return rates."""
    here = office()
    found = take_in_events(here.database, here.gateway, terms_of(here), here.due_now)
    with here.database.reading() as books:
        rates = read_return_rates(books, here.due_now())
    sentence = say_events(found, rates)
    is_news = bool(found.returned.count or found.landed.count or found.alarms or found.changes)
    _tell(here, "take in late events", sentence, is_news=is_news)
    return {
        "sentence": sentence,
        "returned": to_figures(found.returned),
        "landed_late": to_figures(found.landed),
        "refunded": to_figures(found.refunded),
        "reinstated": to_figures(found.reinstated),
        "changes": found.changes,
        "alarms": found.alarms,
        "stopped_by": found.stopped_by,
        "return_rates": [rate_figures(rate) for rate in rates],
    }


@task(name="read settlements", retries=0, cache_policy=NO_CACHE, persist_result=False)
def read_payouts() -> Figures:
    """Store what the gateway paid out, and find what does not agree with our draws (rule 116)."""
    here = office()
    now = here.due_now()
    read = read_settlements(here.database, here.gateway, now, here.who)
    differing = list_differences(here.database, now)
    sentence = f"{say_count(read.new, 'payout')}, {read.net.dollars()}"
    sentence += f"; {say_count(len(differing), 'difference')}" if differing else ""
    _tell(here, "read settlements", sentence, is_news=bool(read.new))
    return {
        "sentence": sentence,
        "new": read.new,
        "net": str(read.net),
        "changed": read.changed,
        "stopped_by": read.stopped_by,
        "differences": [
            {
                "item": item.item,
                "settlement": item.settlement_id,
                "reference": item.reference,
                "account": item.account,
                "amount": str(item.amount),
                "posted_at": item.posted_at.isoformat() if item.posted_at else None,
                "difference": item.difference,
            }
            for item in differing
        ],
    }


@task(name="queue failure mails", retries=0, cache_policy=NO_CACHE, persist_result=False)
def queue_failure_mails() -> int:
    """
    Record the mails to the customers whom autopay leaves something to pay.

    Their payments were declined, returned (rule 83) or left out, or stop at their maximum (ruling
    3). Looked for some weeks back, since a run may have ended before this; each is recorded once.
    """
    here = office()
    now = here.due_now()
    capped = queue_capped_draws(here.database, notifying_of(here, now))
    return capped.queued + queue_autopay_failures(
        here.database,
        since=now - TOLD_FOR,
        now=now,
        message_domain=here.message_domain,
        to_landlords=here.settings.ebill.landlords,
    )


@task(name="count what is open", retries=0, cache_policy=NO_CACHE, persist_result=False)
def count_open() -> Figures:
    """Count what waits for an answer or a person, whenever it came about."""
    standing = read_open_draws(office().database)
    return {
        "unknown": to_figures(standing.unknown),
        "drawn_twice": to_figures(standing.drawn_twice),
    }


def _tell(here: Office, action: str, sentence: str, *, is_news: bool) -> None:
    get_run_logger().info("%s: %s", action, sentence)
    if is_news:
        with here.database.writing() as books:
            record_audit(books, here.due_now(), here.who, action, "autopay", sentence)
