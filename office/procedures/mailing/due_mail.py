"""Mail that is due: sent, with the conclusions that follow from refusals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from database.runs import get_run
from database.tables import scheduled_payment
from domain.deliveries import MessageKind
from domain.payments import PaymentState
from mail.bounces.processing import record_refusals
from mail.communications.queueing import reschedule_overdue
from mail.notices.expiring import withdraw_expiring
from mail.notices.following import FollowTerms, follow_addresses
from mail.outbox.queueing import queue_bills
from mail.outbox.sending import SendCounts
from mail.reminders.queueing import withdraw_notices, withdraw_reminders
from mail.texts.sending import TextCounts
from office.equipment.office import Office
from office.procedures.mailing.mail_sending import send_mails
from office.procedures.texting.sending import say_texts, send_texts
from rules.mail.closed_days import bills_leave_on

LOG = logging.getLogger(__name__)


def queue_bills_of(office: Office, period: str) -> int:
    """
    Record the e-bills of a closed period; return how many are new.

    Where `utility.mail_on_closed_day` is next and the office is closed today they leave on its
    next working day, unless that is after the due date or the first draw that a bill tells of.
    """
    known = get_run(office.database, period)
    now, today = office.clock.due(known.timezone), office.today(known)
    moves = office.settings.utility.mail_on_closed_day
    by = min(known.due_on, _first_draw(office, period) or known.due_on)
    day = bills_leave_on(today, by, office.office_days, moves)
    leaves_at = None
    if day > today:
        wall = datetime.combine(day, office.reminders_plan.at, tzinfo=ZoneInfo(known.timezone))
        leaves_at = wall.astimezone(UTC)
    return queue_bills(
        office.database,
        period,
        now=now,
        message_domain=office.message_domain,
        leaves_at=leaves_at,
    )


def _first_draw(office: Office, period: str) -> date | None:
    """Return the first day of a draw that is still to come; what is drawn today counts not."""
    rows = scheduled_payment.c
    with office.database.reading() as books:
        first: date | None = books.scalar(
            sa.select(sa.func.min(rows.pay_on)).where(
                rows.period == period,
                rows.state == PaymentState.SCHEDULED,
                ~rows.immediate,
            )
        )
    return first


def send_what_is_due(
    office: Office,
    due: Callable[[], datetime],
    progress: Callable[[SendCounts], None],
    kinds: Collection[MessageKind] = tuple(MessageKind),
) -> SendCounts:
    """Send the mails of some kinds that are due, and draw the conclusions from refusals."""
    follow_readers(office, due())
    withdraw_reminders(office.database, office.reminders_terms(due()))
    withdraw_notices(office.database, due(), office.who)
    withdraw_expiring(office.database, office.notices_terms(due()))
    if MessageKind.COMMUNICATION in kinds:
        reschedule_overdue(office.database, office.send_schedule, due())
    tried = send_mails(office, kinds, due, progress)
    record_refusals(office.database, now=due(), who=office.who)  # before anything is printed
    texts = send_texts(office, tuple(kinds))
    if texts != TextCounts():
        LOG.info("texts: %s", say_texts(texts))
    return tried


def follow_readers(office: Office, now: datetime) -> int:
    """Let mails and texts that wait go to who belongs to their account now; return how many did."""
    terms = FollowTerms(now, office.who, office.message_domain, office.plan_terms)
    return follow_addresses(office.database, terms)
