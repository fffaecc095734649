"""Steps: send the paperless bills; send whatever is due, without a close."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from prefect import State, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from database.audit import record_audit
from database.runs import get_run
from domain.deliveries import DeliveryStatus
from domain.failures import NobodyMailed
from domain.steps import Step
from domain.words import say_count
from mail.outbox.deliveries import count_possible_duplicates, counts
from mail.outbox.sending import SendCounts, say_tried
from office.equipment.office import Office, current_office
from office.procedures.mailing.due_mail import queue_bills_of, send_what_is_due
from tasks.steps.step import Done, progress_of, step


@step(Step.SEND)
def send_paperless_bills(period: str) -> Done:
    """
    Record every e-bill of a closed period in the outbox, then send what is due (rules 20-28).

    The step is red where nobody could be mailed. The close stands, and goes on: the paper bills
    need not wait for a mail server.
    """
    office = current_office()
    known = get_run(office.database, period)
    due = partial(office.clock.due, known.timezone)
    queue_bills_of(office, period)
    queued = sum(counts(office.database, period).values())

    move = progress_of(Step.SEND, period)

    def show(sent: SendCounts) -> None:
        move(min(sent.sent + sent.unsent, queued), queued)

    tried = send_what_is_due(office, due, show)
    sentence = _say(office, period, tried)
    if tried.sent:
        with office.database.writing() as books:
            record_audit(books, office.now(known), office.who, "send e-bills", period, sentence)
    return Done(
        sentence,
        asdict(tried),
        is_red=tried.mailed_nobody,
        would=sentence.replace(" sent", " would be sent", 1),
    )


@task(name="send due mail", cache_policy=NO_CACHE, persist_result=False)
def send_mail() -> State[Any]:
    """Send what is due of every period and kind: after an outage, or when the next try is due."""
    office = current_office()
    tried = send_what_is_due(office, office.due_now, lambda _counts: None)
    sentence = say_tried(tried)
    if tried.sent:
        with office.database.writing() as books:
            record_audit(books, office.due_now(), office.who, "send mail", "outbox", sentence)
    ended = Failed if tried.mailed_nobody else Completed
    return ended(message=sentence, data=asdict(tried))


def nobody_mailed(figures: dict[str, Any], what_stands: str = "") -> State[Any]:
    """End a flow as failed because no mail could leave, whatever else was done."""
    why = figures["stopped_by"] or "the mail server put them off"
    sentence = f"not one of the mails that are due could be sent: {why}; they wait"
    sentence = f"{what_stands}, but {sentence}" if what_stands else sentence
    return Failed(message=sentence, data=NobodyMailed(sentence, figures))


_NOT_SENT = (
    DeliveryStatus.QUEUED,
    DeliveryStatus.DEFERRED,
    DeliveryStatus.FAILED,
    DeliveryStatus.IN_DOUBT,
)


def _say(office: Office, period: str, tried: SendCounts) -> str:
    """Say how a run's mails stand, whenever they were sent."""
    now = counts(office.database, period)
    sentence = f"{now[DeliveryStatus.SENT]:,} sent"
    if again := count_possible_duplicates(office.database, period):
        sentence += f" ({say_count(again, 'possible duplicate')})"
    for status in _NOT_SENT:
        if now[status]:
            sentence += f", {now[status]:,} {status}"
    return sentence + (f"; stopped: {tried.stopped_by}" if tried.stopped_by else "")
