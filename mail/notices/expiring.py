"""The mail that a card which autopay draws from is soon no good: to its owner alone, once."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.queries.portal.paying_cards import PayingCard, read_paying_cards
from database.runs import timezone_of
from database.tables import delivery
from domain.deliveries import MessageKind, RecipientSource
from domain.identity import mailbox_of
from domain.reminders import Skipped
from domain.words import say_count
from mail.notices.payments import TOLD_FOR, NoticeCounts, Notifying
from mail.notices.recording import record_new, without_recorded
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import surely_not_left
from mail.recipients.suppressed import suppressed_mailboxes

_KIND = MessageKind.METHOD_EXPIRING


def queue_expiring(database: Database, terms: Notifying) -> NoticeCounts:
    """
    Record a mail for each card that autopay draws from and that is soon no good.

    One for each card and last month, however many accounts it pays: to its owner alone, whoever
    else sees those accounts (rules 117, 118). It stands with the first of them. Nights that were
    missed are made up for, until two weeks after the card's last day.
    """
    counts = NoticeCounts()
    with database.reading() as books:
        suppressed = suppressed_mailboxes(books)
        messages = []
        for message in map(_to_message, _owed(books, terms)):
            if mailbox_of(message.address) in suppressed:
                counts.skipped[Skipped.SUPPRESSED] += 1
            else:
                messages.append(message)
        new = without_recorded(books, messages)
    counts.queued = record_new(database, _KIND, "cards", new, terms)
    return counts


def withdraw_expiring(database: Database, terms: Notifying) -> int:
    """
    Take out the waiting mails about cards that are not so any more; return how many.

    The card was removed, another one or none pays by now, or the office tells of none any more.
    """
    waiting = (delivery.c.kind == _KIND, *surely_not_left())
    with database.reading() as books:
        keys = list(books.scalars(sa.select(delivery.c.key).where(*waiting)))
        if not keys:
            return 0
        owed = {_to_message(card).key for card in _owed(books, terms)}
    gone = [key for key in keys if key not in owed]
    if not gone:
        return 0
    with database.writing() as books:
        taken = books.execute(delivery.delete().where(delivery.c.key.in_(gone), *waiting)).rowcount
        detail = f"{say_count(taken, 'mail')} not so any more"
        record_audit(books, terms.now, terms.who, f"withdraw {_KIND}", "cards", detail)
    return taken


def _owed(books: Connection, terms: Notifying) -> list[PayingCard]:
    if not terms.method_expiring_days:
        return []
    today = terms.now.astimezone(ZoneInfo(timezone_of(books))).date()
    return read_paying_cards(
        books,
        since=today - TOLD_FOR,
        until=today + timedelta(days=terms.method_expiring_days),
    )


def _to_message(card: PayingCard) -> PlannedMessage:
    first = card.accounts[0]
    return PlannedMessage(
        _KIND,
        about=card.about,
        address=card.address,
        source=RecipientSource.PORTAL_USER,
        account=first.number,
        period=first.period,
        form=_KIND.value,
        is_of_account=False,
    )
