"""Steps: whom a mass mail goes to, its mails in the outbox, and sending them in their turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from prefect import State, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from database.audit import record_audit
from domain.deliveries import DeliveryStatus, MessageKind
from domain.words import say_count
from mail.communications.mailings import count_mailboxes, count_mails, form_of, write_down_readers
from mail.communications.queueing import next_turn, queue_mailing
from mail.outbox.sending import SendCounts, say_tried
from office.equipment.office import Office, current_office
from office.procedures.mailing.due_mail import send_what_is_due

LONGEST_NAP = timedelta(seconds=20)  # then it is looked whether anything has changed
SHORTEST_NAP = timedelta(milliseconds=50)
Figures = dict[str, Any]


@task(name="resolve audience", retries=0, cache_policy=NO_CACHE, persist_result=False)
def resolve_audience(mailing: int, count: int) -> Figures:
    """
    Write down the mailboxes of a mailing, if that was not done; refused unless they are `count`.
    """
    office = current_office()
    ways = office.unsubscribing
    written = write_down_readers(
        office.database,
        mailing,
        count,
        to_landlords=office.settings.ebill.landlords,
        token_of=lambda mailbox: ways.token(mailbox) if ways.is_set_up else None,
        now=office.moment(),
        who=office.who,
    )
    mailboxes = count_mailboxes(office.database, mailing)
    sentence = say_count(mailboxes, "mailbox", "mailboxes")
    get_run_logger().info("resolve audience of mailing %s: %s", mailing, sentence)
    return {"mailboxes": mailboxes, "left_out": written.counted_out()}


@task(name="queue communication", cache_policy=NO_CACHE, persist_result=False)
def queue_communication(mailing: int) -> Figures:
    """Put into the outbox what of a mailing is not there yet."""
    office = current_office()
    queued = queue_mailing(
        office.database,
        mailing,
        office.send_schedule,
        now=office.due_now(),
        message_domain=office.message_domain,
    )
    get_run_logger().info("queue mailing %s: %s", mailing, say_count(queued, "mail"))
    return {"queued": queued}


@task(name="send communication", retries=0, cache_policy=NO_CACHE, persist_result=False)
def send_in_turns(mailing: int) -> State[Any]:
    """
    Send a mailing's mails, each when its turn has come, until none waits for its turn.

    Those that a mail server puts off are left to the next sending of what is due.
    """
    office = current_office()
    tried = send_all(office, mailing, office.moment)
    figures = _figures_of(office, mailing) | {
        "stopped_by": tried.stopped_by,
        "mailed_nobody": tried.mailed_nobody,
    }
    sentence = say_tried(tried)
    if tried.sent:
        with office.database.writing() as books:
            action, subject = "send communication", form_of(mailing)
            record_audit(books, office.moment(), office.who, action, subject, sentence)
    get_run_logger().info("send mailing %s: %s", mailing, sentence)
    ended = Failed if tried.mailed_nobody else Completed
    return ended(message=sentence, data=figures)


def send_all(
    office: Office,
    mailing: int,
    now: Callable[[], datetime],
    sleep: Callable[[float], None] = time.sleep,
) -> SendCounts:
    """Send what is due, wait for the next turn, and so on; return what became of all of them."""
    tried: list[SendCounts] = []
    while True:
        kinds = (MessageKind.COMMUNICATION,)
        tried.append(send_what_is_due(office, now, lambda _counts: None, kinds=kinds))
        due = next_turn(office.database, mailing)
        if tried[-1].stopped_by or due is None:
            return _sum(tried)
        nap = min(max(due - now(), SHORTEST_NAP), LONGEST_NAP)
        sleep(nap.total_seconds())


def _sum(tried: list[SendCounts]) -> SendCounts:
    names = ("sent", "failed", "deferred", "in_doubt", "possible_duplicates")
    sums = {name: sum(getattr(one, name) for one in tried) for name in names}
    nobody = sums["sent"] == 0 and any(one.mailed_nobody for one in tried)
    return SendCounts(**sums, stopped_by=tried[-1].stopped_by, mailed_nobody=nobody)


def _figures_of(office: Office, mailing: int) -> Figures:
    """Count what became of a mailing's mails, whenever they were sent."""
    found = count_mails(office.database, mailing)
    waiting = found[DeliveryStatus.QUEUED] + found[DeliveryStatus.SENDING]
    return {
        "sent": found[DeliveryStatus.SENT],
        "failed": found[DeliveryStatus.FAILED],
        "deferred": found[DeliveryStatus.DEFERRED] + waiting,
        "in_doubt": found[DeliveryStatus.IN_DOUBT],
    }
