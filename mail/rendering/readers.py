"""By which name the reader of a mail is greeted, who need not hold the account it is about."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.in_force import email_in_force, landlord_in_force
from database.tables import account, cosigner, portal_user
from domain.identity import mailbox_of
from mail.outbox.deliveries import Delivery
from mail.rendering.notice_facts import NoticeFacts


def name_of_reader(books: Connection, row: Delivery, facts: NoticeFacts) -> str:
    """
    Return the name of a mail's reader, as far as the books have it; empty where they do not.

    A portal user is greeted by the name that the export has of them, the holder at an address of
    the account's record, a landlord by the cosigner's name.
    """
    period, mailbox = facts.period, mailbox_of(row.address)
    users, record, lets = portal_user.c, email_in_force.c, landlord_in_force.c
    of_user = sa.select(users.name).where(users.period == period, users.mailbox == mailbox)
    is_holders = (
        record.period == period,
        record.account_key == row.account_key,
        sa.func.lower(record.address) == mailbox,
    )
    of_landlord = (
        sa.select(cosigner.c.name)
        .join(landlord_in_force, lets.cosigner_id == cosigner.c.cosigner_id)
        .join(account, account.c.cosigner_id == cosigner.c.cosigner_id)
        .where(
            account.c.account_key == row.account_key,
            account.c.period == period,
            cosigner.c.period == period,
            lets.period == period,
            sa.func.lower(lets.portal_user) == mailbox,
        )
    )
    if name := books.scalar(of_user):
        return str(name)
    if books.execute(sa.select(record.address).where(*is_holders)).first() is not None:
        return facts.customer
    return str(books.scalar(of_landlord) or "")
