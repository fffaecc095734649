"""
Mailboxes that portal users have left: what the billing system says of one is of its user.

The billing system knows a portal user by the address that it was told, and goes on naming it. Its
rows are kept under the address that the user signs in with now, whenever they are imported, so
that links, landlords, wallets and autopay stay what they were (ruling 25).
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import address_change, web_user
from database.tables import (
    cosigner,
    enrollment,
    mandate,
    payment_method,
    portal_link,
    portal_user,
)

# Where a mailbox names a portal user; the export's and, last, what the office was given.
_NAMED = (
    portal_user.c.mailbox,
    portal_link.c.mailbox,
    cosigner.c.portal_user,
    payment_method.c.portal_user,
    mandate.c.portal_user,
    enrollment.c.portal_user,
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where a portal user is written to now: the mailbox, and the address as it was typed."""

    mailbox: str
    address: str


def moved_mailboxes(books: Connection) -> dict[str, Mailbox]:
    """
    Return the mailboxes that were left, each with the one that its user signs in with now.

    Of a mailbox that two have left in turn the first one's rows stay theirs: whoever got a
    mailbox later is not whom the billing system means.
    """
    change, user = address_change.c, web_user.c
    query = (
        sa.select(change.from_mailbox, user.mailbox, user.address)
        .join(web_user, user.number == change.user_number)
        .where(change.changed_at.is_not(None), change.stopped_at.is_(None))
        .where(change.from_mailbox != user.mailbox)
        .order_by(change.number)
    )
    moved: dict[str, Mailbox] = {}
    for row in books.execute(query):
        moved.setdefault(row.from_mailbox, Mailbox(row.mailbox, row.address))
    return moved


def is_named(books: Connection, mailbox: str) -> bool:
    """Tell whether an export, or an enrollment with the office, names a portal user so."""
    return any(
        books.scalar(sa.select(sa.literal(1)).where(_are(column, mailbox)).limit(1))
        for column in _NAMED
    )


def move_mailbox(books: Connection, old: str, to: Mailbox) -> None:
    """
    Let what exports say of one mailbox be said of another, which none of them names.

    In every period, as autopay and wallets are asked for by period.
    """
    for column in _NAMED:
        named: dict[str, str | None] = {column.name: to.mailbox}
        if "address" in column.table.c:
            named["address"] = to.address
        if "fault" in column.table.c:
            named["fault"] = None  # it was confirmed by a mail
        books.execute(sa.update(column.table).where(_are(column, old)).values(named))


def _are(column: sa.Column[str], mailbox: str) -> sa.ColumnElement[bool]:
    """An address is in small letters in the export's rows; what staff typed is as they typed it."""
    if column.table in (enrollment, cosigner):
        return sa.func.lower(column) == mailbox
    return column == mailbox
