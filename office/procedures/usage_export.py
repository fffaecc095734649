"""Usage exports: made for a mailbox of the account, fetched by a link, removed when it expires."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.in_force import email_in_force, landlord_in_force, link_in_force
from database.queries.portal.accounts import newest_account
from database.queries.portal.usage import ALL, UsageWish
from database.tables import (
    suppressed_address,
    usage_export,
)
from domain.accounts import account_key
from domain.deliveries import MessageKind, Recipient, RecipientSource
from domain.failures import Misuse, Refused
from domain.words import say_count
from mail.letters.links import token_hash
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from office.equipment.mail import export_address
from office.equipment.office import Office
from reporting.documents.usage_export import MOST, read_usage, to_workbook


def linked_mailbox(books: Connection, known: Any, to: str) -> Recipient:
    """
    Return the mailbox as the period of `known` links it to the account.

    Raises Refused where it is none of the account's, or gets no mail any more.
    """
    wanted = to.strip().casefold()
    for recipient in _mailboxes(books, known):
        if recipient.mailbox == wanted:
            return _welcome(books, recipient)
    raise Refused(
        "not-linked",
        f"That mailbox does not belong to account {known.account}: its own, a linked portal "
        "user's or a cosigner's may have the export.",
    )


def _mailboxes(books: Connection, known: Any) -> Iterator[Recipient]:
    places: tuple[tuple[sa.Select[Any], RecipientSource], ...] = (
        (
            sa.select(email_in_force.c.address).where(
                email_in_force.c.period == known.period,
                email_in_force.c.account_key == known.account_key,
                email_in_force.c.fault.is_(None),
            ),
            RecipientSource.CUSTOMER_RECORD,
        ),
        (
            sa.select(link_in_force.c.address).where(
                link_in_force.c.period == known.period,
                link_in_force.c.account_key == known.account_key,
                link_in_force.c.fault.is_(None),
            ),
            RecipientSource.PORTAL_USER,
        ),
        (
            sa.select(landlord_in_force.c.portal_user).where(
                landlord_in_force.c.period == known.period,
                landlord_in_force.c.cosigner_id == known.cosigner_id,
                landlord_in_force.c.cosigner_id != "",
                landlord_in_force.c.fault.is_(None),
            ),
            RecipientSource.LANDLORD,
        ),
    )
    for query, source in places:
        for address in books.scalars(query):
            yield Recipient(address.strip(), source)


def _welcome(books: Connection, recipient: Recipient) -> Recipient:
    mailbox = suppressed_address.c.mailbox
    if books.scalar(sa.select(mailbox).where(mailbox == recipient.mailbox)):
        raise Refused(
            "suppressed",
            "Nothing is sent to that mailbox any more; see `billclose bounces` to allow it again.",
        )
    return recipient


FOLDER = "usage-exports"
ORPHANED = timedelta(hours=1)  # a file that no row names by then was left by a kill
KEPT = timedelta(days=90)  # the row of an export that is gone


@dataclass(frozen=True, slots=True)
class UsageExport:
    account: str
    records: int
    expires_at: datetime


def export_usage(office: Office, number: str, to: str, wish: UsageWish = ALL) -> UsageExport:
    """
    Write an account's newest usage records into a private file and queue the mail with its link.

    `wish` narrows the records to those that a page shows (rule 182).

    Raises Refused where the mailbox is none of the account's (its own, a linked portal user's, a
    cosigner's) or gets no mail any more, and Misuse where there is no account or no link.
    """
    if not export_address(office.settings):
        raise Misuse(
            "exports.link_url is empty, and web.url too: nobody could fetch the file; set one to "
            "the https:// address of your web desk, exports.link_url with {token} in it.",
            "no-export-link",
        )
    with office.database.reading() as books:
        known = newest_account(books, account_key(number))
        if known is None:
            raise Misuse(f"No closed period has an account {number!r}.", "unknown-account")
        recipient = linked_mailbox(books, known, to)
    records = read_usage(office.database, known.account_key, wish=wish)
    if not records:
        raise Refused("no-usage", f"Account {known.account} has no usage records to export.")
    now = office.due_now()
    identity = secrets.token_hex(16)
    export = UsageExport(
        known.account, len(records), now + timedelta(hours=office.settings.exports.hours)
    )
    _write(_file(office, identity), to_workbook(records, known.account))
    _record(office, identity, known, recipient, export, now)
    return export


def find_export(office: Office, token: str, now: datetime) -> Path | None:
    """Return the file behind a link; None for one that is wrong, expired or cleared away."""
    query = sa.select(usage_export.c.id).where(
        usage_export.c.token_sha256 == token_hash(token),
        usage_export.c.expires_at > now,
        usage_export.c.removed_at.is_(None),
    )
    with office.database.reading() as books:
        identity = books.scalar(query)
    file = _file(office, identity) if identity else None
    return file if file is not None and file.is_file() else None


def remove_expired(office: Office, now: datetime) -> int:
    """Delete the files of expired exports and those that no row names; return how many."""
    row = usage_export.c
    with office.database.reading() as books:
        expired = list(
            books.scalars(sa.select(row.id).where(row.expires_at <= now, row.removed_at.is_(None)))
        )
        good = set(books.scalars(sa.select(row.id).where(row.removed_at.is_(None))))
    left = [
        file for file in _files(office) if file.stem not in good and _age(file, office) > ORPHANED
    ]
    for file in (*(_file(office, identity) for identity in expired), *left):
        file.unlink(missing_ok=True)
    with office.database.writing() as books:
        books.execute(usage_export.update().where(row.id.in_(expired)).values(removed_at=now))
        books.execute(usage_export.delete().where(row.removed_at <= now - KEPT))
    return len(expired) + len(left)


def _record(
    office: Office,
    identity: str,
    known: Any,
    recipient: Recipient,
    export: UsageExport,
    now: datetime,
) -> None:
    """Record the export and its mail in one transaction, the file being there already."""
    message = PlannedMessage(
        MessageKind.USAGE_EXPORT,
        about=identity,
        address=recipient.address,
        source=recipient.source,
        account=known.account,
        period=known.period,
        form=MessageKind.USAGE_EXPORT.value,
    )
    with office.database.writing() as books:
        books.execute(
            usage_export.insert().values(
                id=identity,
                token_sha256=token_hash(office.export_links.token(identity)),
                account_key=known.account_key,
                account=known.account,
                records=export.records,
                made_at=now,
                expires_at=export.expires_at,
            )
        )
        queue_messages(books, [message], now=now, message_domain=office.message_domain)
        detail = f"{say_count(export.records, 'usage record')}, {MOST:,} at most"
        record_audit(books, now, office.who, "export usage", known.account, detail)


def _write(file: Path, content: bytes) -> None:
    """Write a file whole, for its owner alone."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _file(office: Office, identity: str) -> Path:
    return office.folder(FOLDER) / f"{identity}.xlsx"


def _files(office: Office) -> list[Path]:
    folder = office.home / FOLDER
    return sorted(folder.glob("*.xlsx")) if folder.is_dir() else []


def _age(file: Path, office: Office) -> timedelta:
    return timedelta(seconds=office.clock.wall().timestamp() - file.stat().st_mtime)
