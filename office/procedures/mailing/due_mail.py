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
from office.procedures.mailing.mail_sending import send_mails


def send_what_is_due(
    office: Office,
    due: Callable[[], datetime],
    progress: Callable[[SendCounts], None],
    kinds: Collection[MessageKind] = tuple(MessageKind),
) -> SendCounts:
    """Send the mails of some kinds that are due, and draw the conclusions from refusals."""
    withdraw_reminders(office.database, office.reminders_terms(due()))
    withdraw_notices(office.database, due(), office.who)
    if MessageKind.COMMUNICATION in kinds:
        reschedule_overdue(office.database, office.send_schedule, due())
    tried = send_mails(office, kinds, due, progress)
    record_refusals(office.database, now=due(), who=office.who)  # before anything is printed
    return tried
