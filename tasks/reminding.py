"""Steps: refuse to remind by stale balances, record what is owed, send it (rules 90, 98)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

from prefect import State, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from database.audit import record_audit
from domain.deliveries import MessageKind
from domain.reminders import REMINDERS
from domain.words import say_count
from mail.outbox.sending import say_tried
from mail.reminders.exemptions import undrawn
from mail.reminders.queueing import queue_reminders, withdraw_reminders
from office.equipment.office import current_office
from office.procedures.mailing.arranging import bring_up_to_date
from office.procedures.mailing.due_mail import send_what_is_due
from office.procedures.mailing.reminding import (
    QUEUES,
    say_queued,
    to_figures,
    to_notice_figures,
    undrawn_figures,
)
from office.procedures.posting import require_fresh_balances

Figures = dict[str, Any]


@task(name="queue receipts", retries=0, cache_policy=NO_CACHE, persist_result=False)
def queue_receipt_mails() -> Figures:
    """Record a receipt for each payment that was drawn (rule 196)."""
    return _queue(MessageKind.RECEIPT)


@task(name="queue autopay-scheduled", retries=0, cache_policy=NO_CACHE, persist_result=False)
def queue_scheduled_mails() -> Figures:
    """Record a word before each draw that must be told, where no e-bill tells it."""
    return _queue(MessageKind.AUTOPAY_SCHEDULED)


@task(name="queue method-expiring", retries=0, cache_policy=NO_CACHE, persist_result=False)
def queue_expiring_mails() -> Figures:
    """Record a word to the owner of each card that autopay draws from and that is soon no good."""
    return _queue(MessageKind.METHOD_EXPIRING)


@task(name="send notices", retries=0, cache_policy=NO_CACHE, persist_result=False)
def send_notice_mails() -> State[Any]:
    """Send the notices about payments that are due."""
    office = current_office()
    tried = send_what_is_due(office, office.due_now, lambda _counts: None, kinds=tuple(QUEUES))
    sentence = say_tried(tried)
    if tried.sent:
        with office.database.writing() as books:
            record_audit(books, office.due_now(), office.who, "send notices", "payments", sentence)
    get_run_logger().info("send notices: %s", sentence)
    ended = Failed if tried.mailed_nobody else Completed
    return ended(message=sentence, data=asdict(tried))


def _queue(kind: MessageKind) -> Figures:
    office = current_office()
    counts = QUEUES[kind](office.database, office.notices_terms(office.due_now()))
    get_run_logger().info("queue %s: %s new", kind, say_count(counts.queued, "mail"))
    return to_notice_figures(counts)


@task(name="guard reminders", retries=0, cache_policy=NO_CACHE, persist_result=False)
def guard_reminders(despite: str | None = None) -> None:
    """
    Refuse to remind while payments were taken and are not posted (Refused, `postings-stuck`).

    Who has paid at the counter of another program might be asked for it again. `despite` is a
    person's reason to go on, which is audited.
    """
    office = current_office()
    require_fresh_balances(office, office.due_now(), "remind", "reminders", despite)


@task(name="look for undrawn payments", retries=0, cache_policy=NO_CACHE, persist_result=False)
def look_for_undrawn_payments() -> Figures:
    """Tell what collecting has left behind: its customers get no past-due mail (ruling 20)."""
    office = current_office()
    figures = undrawn_figures(undrawn(office.database, office.due_now()))
    if figures["payments"]:
        get_run_logger().warning("collecting is overdue: %s payments", figures["payments"])
    return figures


@task(name="withdraw reminders", retries=0, cache_policy=NO_CACHE, persist_result=False)
def withdraw_what_is_not_owed() -> int:
    """Take waiting reminders back that are not owed any more; returns how many."""
    office = current_office()
    taken = withdraw_reminders(office.database, office.reminders_terms(office.due_now()))
    get_run_logger().info("withdraw reminders: %s", say_count(taken, "mail"))
    return taken


@task(name="settle arrangements", retries=0, cache_policy=NO_CACHE, persist_result=False)
def settle_payment_arrangements(left_out: Sequence[str] = ()) -> Figures:
    """Mark the plans that are paid or broken, and record the mails that plans owe; each once."""
    figures = bring_up_to_date(current_office(), left_out)
    get_run_logger().info(
        "settle arrangements: %s kept, %s broken, %s new",
        len(figures["kept"]),
        len(figures["broken"]),
        say_count(figures["queued"], "mail"),
    )
    return figures


def _queueing(kind: MessageKind) -> Callable[..., Figures]:
    @task(name=f"queue {kind}", retries=0, cache_policy=NO_CACHE, persist_result=False)
    def queue(left_out: Sequence[str] = ()) -> State[Any]:
        office = current_office()
        terms = replace(office.reminders_terms(office.due_now()), left_out=frozenset(left_out))
        counts = queue_reminders(office.database, kind, terms)
        sentence = say_queued(counts)
        get_run_logger().info("queue %s: %s", kind, sentence)
        return Completed(message=sentence, data=to_figures(counts))

    return _observed(queue)


def _sending(kind: MessageKind) -> Callable[[], Figures]:
    @task(name=f"send {kind}", retries=0, cache_policy=NO_CACHE, persist_result=False)
    def send() -> State[Any]:
        office = current_office()
        tried = send_what_is_due(office, office.due_now, lambda _counts: None, kinds=(kind,))
        sentence = say_tried(tried)
        if tried.sent:
            with office.database.writing() as books:
                record_audit(
                    books, office.due_now(), office.who, f"send {kind}", "reminders", sentence
                )
        get_run_logger().info("send %s: %s", kind, sentence)
        ended = Failed if tried.mailed_nobody else Completed
        return ended(message=sentence, data=asdict(tried))

    return _observed(send)


def _observed(step: Any) -> Callable[..., Figures]:
    """Call a step and return its figures, also of one that is red."""

    def run(*given: Any) -> Figures:
        state = step(*given, return_state=True)
        figures: Figures | BaseException = state.result(raise_on_failure=False)
        if isinstance(figures, BaseException):
            raise figures
        return figures

    return run


queue_payment_due, queue_past_due = map(_queueing, REMINDERS)
send_payment_due, send_past_due = map(_sending, REMINDERS)
send_arrangement_mails = _sending(MessageKind.ARRANGEMENT)
