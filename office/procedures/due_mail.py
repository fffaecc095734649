"""Mail that is due: sent, with the conclusions that follow from refusals."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from domain.deliveries import MessageKind
from mail.bounces.processing import record_refusals
from mail.communications.queueing import reschedule_overdue
from mail.outbox.sending import SendCounts
from mail.reminders.queueing import withdraw_notices, withdraw_reminders
from office.equipment.office import Office
from office.equipment.terms import reminding_of
from office.procedures.mail_sending import send_mails


def send_what_is_due(
    here: Office,
    due: Callable[[], datetime],
    progress: Callable[[SendCounts], None],
    kinds: Collection[MessageKind] = tuple(MessageKind),
) -> SendCounts:
    """Send the mails of some kinds that are due, and draw the conclusions from refusals."""
    withdraw_reminders(here.database, reminding_of(here, due()))
    withdraw_notices(here.database, due(), here.who)
    if MessageKind.COMMUNICATION in kinds:
        reschedule_overdue(here.database, here.send_schedule, due())
    tried = send_mails(here, kinds, due, progress)
    record_refusals(here.database, now=due(), who=here.who)  # before anything is printed
    return tried
