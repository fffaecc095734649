"""Step: send the paperless bills."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from database.auditing import record_audit
from database.owners import this_process
from database.runs import get_run
from domain.deliveries import DeliveryStatus
from domain.steps import Step
from mail.outbox import counts
from mail.queueing import queue_bills
from mail.sending import SendCounts, send_due
from office.wiring import office
from tasks.progress import progress_of
from tasks.step import Done, step


@step(Step.SEND)
def send_paperless_bills(run: str) -> Done:
    """Record every e-bill of a closed period in the outbox, then send what is due (rules 20-28)."""
    here = office()
    known = get_run(here.database, run)
    due = partial(here.clock.due, known.timezone)
    queue_bills(here.database, run, now=due(), message_domain=here.message_domain)
    queued = sum(counts(here.database, run).values())

    move = progress_of(Step.SEND, run)

    def show(sent: SendCounts) -> None:
        move(min(sent.sent + sent.failed + sent.deferred + sent.in_doubt, queued), queued)

    tried = send_due(
        here.database,
        here.mailer,
        here.bill_renderer,
        clock=due,
        owner=this_process(),
        progress=show,
        resend_in_doubt=here.settings.ebill.resend_in_doubt,
    )
    now = counts(here.database, run)
    sentence = f"{now[DeliveryStatus.SENT]:,} sent"
    for status in (DeliveryStatus.DEFERRED, DeliveryStatus.FAILED, DeliveryStatus.IN_DOUBT):
        if now[status]:
            sentence += f", {now[status]:,} {status}"
    if tried.stopped_by:
        sentence += f"; stopped: {tried.stopped_by}"
    if tried.sent:
        with here.database.writing() as books:
            record_audit(books, here.now(known), here.who, "send e-bills", run, sentence)
    return Done(sentence, asdict(tried))
