"""A look at a mass mail, as one of its readers would get it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from database.books import Database
from database.tables import bill_run, mass_recipient, period_close
from domain.accounts import account_key
from domain.deliveries import MessageKind, Recipient, RecipientSource
from domain.failures import PermanentFailure
from mail.keys import delivery_key, message_id
from mail.outbox.deliveries import Delivery
from mail.rendering.bills import Stamp
from mail.rendering.notice_facts import find_facts_of_notice
from mail.rendering.notices import NoticeRenderer
from rules.mail.communications import Reader


@dataclass(frozen=True, slots=True)
class Shown:
    """As whom a mail is looked at, and the closed period that knows of him."""

    reader: Reader
    period: str


def first_reader(database: Database, number: int) -> Shown | None:
    """Return the first reader of a mailing whose mailboxes are written down, if there is one."""
    reader = (
        sa.select(mass_recipient)
        .where(mass_recipient.c.mailing == number)
        .order_by(mass_recipient.c.mailbox)
        .limit(1)
    )
    newest = (
        sa.select(period_close.c.period)
        .join(bill_run, bill_run.c.period == period_close.c.period)
        .order_by(bill_run.c.ends_on.desc(), period_close.c.period.desc())
        .limit(1)
    )
    with database.reading() as books:
        row = books.execute(reader).one_or_none()
        period = books.scalar(newest)
    if row is None or period is None:
        return None
    return Shown(Reader(Recipient(row.address, row.source), row.account), period)


def compose_for(notices: NoticeRenderer, shown: Shown, now: datetime, to: str = "") -> bytes:
    """
    Return the mail that a reader would get, addressed to somebody else where `to` says so.

    Nothing is recorded. Raises PermanentFailure or TemporaryFailure where it cannot be made.
    """
    reader = shown.reader
    row = _a_delivery(shown, now, notices.sender.address, to or reader.recipient.address)
    facts = find_facts_of_notice(
        notices.database,
        key=row.key,
        period=row.period,
        account_key=row.account_key,
        address=row.address,
        source=reader.recipient.source or RecipientSource.CUSTOMER_RECORD,
    )
    if facts is None:
        raise PermanentFailure("its period is not in the books")
    letter, attachment = notices.to_letter(row, facts)
    return notices.compose(row, letter, Stamp.of(row, facts.timezone), attachment, row.address)


def _a_delivery(shown: Shown, now: datetime, sender: str, to: str) -> Delivery:
    """Make what would be recorded; its names are of this look alone, so that nothing mixes."""
    kind, number = MessageKind.COMMUNICATION, shown.reader.account
    key = delivery_key("preview", shown.period, kind, number, f"{to.casefold()}/{now.isoformat()}")
    return Delivery(
        key=key,
        period=shown.period,
        account_key=account_key(number),
        account=number,
        kind=kind,
        form=kind,
        address=to,
        message_id=message_id(key, sender.rpartition("@")[2]),
        attempts=0,
        queued_at=now,
        possible_duplicate=False,
    )
