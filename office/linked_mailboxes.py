"""Which mailboxes belong to an account: its own, linked portal users', its cosigner's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import (
    account,
    account_email,
    bill_run,
    cosigner,
    period_close,
    portal_link,
    suppressed_address,
)
from domain.deliveries import Recipient, RecipientSource
from domain.failures import Refused


def newest_account(books: Connection, key: str) -> Any:
    """Return an account as the newest closed period that has it knows it, None where none has."""
    query = (
        sa.select(account.c.run, account.c.account_key, account.c.account, account.c.cosigner_id)
        .join(period_close, period_close.c.run == account.c.run)
        .join(bill_run, bill_run.c.run == account.c.run)
        .where(account.c.account_key == key)
        .order_by(bill_run.c.ends_on.desc())
    )
    return books.execute(query.limit(1)).one_or_none()


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
            sa.select(account_email.c.address).where(
                account_email.c.run == known.run,
                account_email.c.account_key == known.account_key,
                account_email.c.fault.is_(None),
            ),
            RecipientSource.CUSTOMER_RECORD,
        ),
        (
            sa.select(portal_link.c.address).where(
                portal_link.c.run == known.run, portal_link.c.account_key == known.account_key
            ),
            RecipientSource.PORTAL_USER,
        ),
        (
            sa.select(cosigner.c.portal_user).where(
                cosigner.c.run == known.run,
                cosigner.c.cosigner_id == known.cosigner_id,
                cosigner.c.cosigner_id != "",
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
