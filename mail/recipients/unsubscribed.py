"""Who wants no communications, written down; bills, reminders and receipts go on."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.inserting import insert_new
from database.tables import bounce, delivery, mass_recipient, unsubscribed_address
from domain.deliveries import WAITING, MessageKind
from domain.failures import Misuse
from mail.letters.links import Unsubscribing
from mail.message.parsing import header, parse

TOKEN_LENGTH = 24
_TOKEN = re.compile(rf"[a-z2-7]{{{TOKEN_LENGTH}}}")
_SUBJECT = re.compile(rf"\s*unsubscribe\s+([a-z2-7]{{{TOKEN_LENGTH}}})\s*", re.IGNORECASE)


class Unsubscription(StrEnum):
    """What came of one; whoever sent it is told the same each time, so that nobody can probe."""

    RECORDED = "recorded"
    BEFORE = "before"  # recorded earlier
    UNKNOWN = "unknown"  # the token is nobody's


def record_unsubscription(
    database: Database, token: str, *, unsubscribing: Unsubscribing, now: datetime, who: str
) -> Unsubscription:
    """
    Write no communications any more to the mailbox that a token was made for.

    The token comes from the web or in a mail, and may be anything. Doing it twice is doing it
    once. What waits to be sent to the mailbox is taken back in the same transaction.
    """
    written = token.strip().lower()
    if not _TOKEN.fullmatch(written):
        return Unsubscription.UNKNOWN
    with database.writing() as books:
        mailbox = _find_mailbox(books, written, unsubscribing)
        if mailbox is None:
            return Unsubscription.UNKNOWN
        return unsubscribe_mailbox(books, mailbox, now, who)


def token_in_mail(content: bytes) -> str:
    """Return the token of a mail whose subject is `unsubscribe TOKEN`; empty for any other."""
    found = _SUBJECT.fullmatch(header(parse(content), "Subject"))
    return found[1].lower() if found else ""


def unsubscribe_address(
    database: Database, address: str, *, now: datetime, who: str
) -> Unsubscription:
    """Do the same for an address, because its owner has asked the office."""
    with database.writing() as books:
        return unsubscribe_mailbox(books, address.strip().casefold(), now, who)


def resubscribe(database: Database, address: str, reason: str, *, now: datetime, who: str) -> None:
    """Write communications to a mailbox again; raises Misuse for one that is not unsubscribed."""
    mailbox = address.strip().casefold()
    with database.writing() as books:
        gone = books.execute(
            unsubscribed_address.delete().where(unsubscribed_address.c.mailbox == mailbox)
        )
        if not gone.rowcount:
            raise Misuse(
                "This address is not unsubscribed; see `billclose list unsubscribed-addresses`."
            )
        record_audit(books, now, who, "resubscribe", _subject(books, mailbox), reason)


def is_unsubscribed(database: Database, mailbox: str) -> bool:
    query = sa.select(sa.literal(1)).where(unsubscribed_address.c.mailbox == mailbox)
    with database.reading() as books:
        return books.execute(query).first() is not None


def _find_mailbox(books: Connection, token: str, unsubscribing: Unsubscribing) -> str | None:
    """
    Find whose token it is: it was written down with the mailbox.

    Where no way out was set up at that time but is now, each mailbox has to be asked.
    """
    mailbox = mass_recipient.c.mailbox
    known = books.scalar(sa.select(mailbox).where(mass_recipient.c.token == token).limit(1))
    if known is not None or not unsubscribing.is_set_up:
        return known
    others = sa.select(mailbox).where(mass_recipient.c.token.is_(None)).distinct()
    return unsubscribing.find_mailbox(token, books.scalars(others))


def unsubscribe_mailbox(
    books: Connection, mailbox: str, now: datetime, who: str, *, subject: str | None = None
) -> Unsubscription:
    """Do it in a transaction; `subject` names whose it is in the audit, else it is looked up."""
    row = {"mailbox": mailbox, "since": now}
    statement = insert_new(books.dialect.name, unsubscribed_address).values(row)
    new = books.execute(statement, execution_options={"preserve_rowcount": True})
    _take_back(books, mailbox)
    if not new.rowcount:
        return Unsubscription.BEFORE
    record_audit(books, now, who, "unsubscribe", subject or _subject(books, mailbox))
    return Unsubscription.RECORDED


def _take_back(books: Connection, mailbox: str) -> None:
    """Take out what waits for the mailbox; one that may have left before is kept."""
    addresses = sa.select(mass_recipient.c.address).where(mass_recipient.c.mailbox == mailbox)
    books.execute(
        delivery.delete().where(
            delivery.c.kind == MessageKind.COMMUNICATION,
            delivery.c.status.in_(WAITING),
            delivery.c.address.in_(addresses),
            ~delivery.c.possible_duplicate,
            ~sa.exists().where(bounce.c.delivery_key == delivery.c.key),
        )
    )


def _subject(books: Connection, mailbox: str) -> str:
    """Name the account that was written to there; the address itself is not repeated."""
    query = sa.select(mass_recipient.c.account).where(
        mass_recipient.c.mailbox == mailbox, mass_recipient.c.account != ""
    )
    return books.scalar(query.limit(1)) or "an address"
