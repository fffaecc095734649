"""Steps of collecting: look up, draw, take in what came of earlier draws, tell customers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from database.audit import record_audit
from mail.notices.autopay_failures import queue_autopay_failures, queue_capped_draws
from office.equipment.office import Office, current_office
from office.procedures.collecting import (
    draw_figures,
    event_figures,
    lookup_figures,
    open_figures,
    payout_figures,
)
from payments.collecting.collecting import collect_due
from payments.collecting.unanswered import look_up_due
from payments.outcomes.events import take_in_events
from payments.outcomes.settlements import read_settlements
from payments.terms import CollectionTerms

Figures = dict[str, Any]
TOLD_FOR = timedelta(days=14)  # a customer who hears of it later is no better off


@task(name="look up payments", retries=0, cache_policy=NO_CACHE, persist_result=False)
def look_up_payments(balances: Figures) -> Figures:
    """
    Find out what became of the payments that were asked for and not answered.

    By balances that are too old nothing is asked for again.
    """
    office = current_office()
    terms = _terms_by(office, balances)
    found = look_up_due(office.database, office.gateway, terms, office.due_now)
    figures = lookup_figures(found)
    is_news = bool(found.approved or found.declined)
    _tell(office, "look up payments", figures["sentence"], is_news=is_news)
    return figures


def _terms_by(office: Office, balances: Figures) -> CollectionTerms:
    return replace(
        office.autopay_terms,
        left_out=frozenset(balances["left_out"]),
        feed_max_age=timedelta(seconds=balances["max_age"]) if balances["max_age"] else None,
    )


@task(name="draw payments", retries=0, cache_policy=NO_CACHE, persist_result=False)
def draw_payments(balances: Figures) -> Figures:
    """
    Draw the scheduled payments whose day has come (rules 41, 51-59, 136-138).

    Nothing is tried again by Prefect: what is in doubt is looked up, what surely did not happen
    is due again at the next run. `balances` says which periods' are too old to draw by.
    """
    office = current_office()
    terms = _terms_by(office, balances)
    drawn = collect_due(office.database, office.gateway, terms, office.due_now)
    drawn.left_out.update(balances["left_out"])
    figures = draw_figures(drawn)
    is_news = bool(drawn.drawn.count or drawn.declined.count or drawn.unknown.count)
    _tell(office, "collect autopay", figures["sentence"], is_news=is_news)
    return figures


@task(name="take in late events", retries=0, cache_policy=NO_CACHE, persist_result=False)
def take_in_late_events() -> Figures:
    """Take in returns, charge-backs and draws that landed late; watch the return rates."""
    office = current_office()
    found = take_in_events(office.database, office.gateway, office.autopay_terms, office.due_now)
    figures = event_figures(office, found)
    is_news = bool(found.returned.count or found.landed.count or found.alarms or found.changes)
    _tell(office, "take in late events", figures["sentence"], is_news=is_news)
    return figures


@task(name="read settlements", retries=0, cache_policy=NO_CACHE, persist_result=False)
def read_payouts() -> Figures:
    """Store what the gateway paid out, and find what does not agree with our draws (rule 116)."""
    office = current_office()
    now = office.due_now()
    read = read_settlements(office.database, office.gateway, now, office.who)
    figures = payout_figures(office, read)
    _tell(office, "read settlements", figures["sentence"], is_news=bool(read.new))
    return figures


@task(name="queue failure mails", retries=0, cache_policy=NO_CACHE, persist_result=False)
def queue_failure_mails() -> int:
    """
    Record the mails to the customers whom autopay leaves something to pay.

    Their payments were declined, returned (rule 83) or left out, or stop at their maximum (ruling
    3). Looked for some weeks back, since a run may have ended before this; each is recorded once.
    """
    office = current_office()
    now = office.due_now()
    capped = queue_capped_draws(office.database, office.notices_terms(now))
    return capped.queued + queue_autopay_failures(
        office.database,
        since=now - TOLD_FOR,
        now=now,
        message_domain=office.message_domain,
        to_landlords=office.settings.ebill.landlords,
    )


@task(name="count what is open", retries=0, cache_policy=NO_CACHE, persist_result=False)
def count_open() -> Figures:
    """Count what waits for an answer or a person, whenever it came about."""
    return open_figures(current_office())


def _tell(office: Office, action: str, sentence: str, *, is_news: bool) -> None:
    get_run_logger().info("%s: %s", action, sentence)
    if is_news:
        with office.database.writing() as books:
            record_audit(books, office.due_now(), office.who, action, "autopay", sentence)
