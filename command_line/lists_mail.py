"""Lists about communications: what is posted, mass mails, and who wants none."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.tables import (
    communication,
    delivery,
    mass_mailing,
    mass_recipient,
    unsubscribed_address,
)
from domain.deliveries import DeliveryStatus, MessageKind

Select = sa.Select[Any]


def communications() -> Select:
    """Select all that was ever posted, the removed ones too."""
    return sa.select(
        communication.c.number,
        communication.c.title,
        communication.c.expires_on.label("expires"),
        communication.c.pages,
        communication.c.size,
        communication.c.link,
        communication.c.sha256,
        communication.c.added_at,
        communication.c.added_by,
        communication.c.removed_at,
        communication.c.removed_by,
        communication.c.removal_reason,
    )


def mailings() -> Select:
    """Select the mass mails, each with how many mailboxes it is for and what became of them."""
    mailboxes = (
        sa.select(sa.func.count())
        .where(mass_recipient.c.mailing == mass_mailing.c.number)
        .scalar_subquery()
    )
    statuses = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.DEFERRED
    mails = {status.value: _mails().where(delivery.c.status == status) for status in statuses}
    waiting = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
    mails["waiting"] = _mails().where(delivery.c.status.in_(waiting))
    return sa.select(
        mass_mailing.c.number,
        mass_mailing.c.day,
        mass_mailing.c.subject,
        sa.case(
            (mass_mailing.c.resolved_at.is_(None), "drafted"),
            (mass_mailing.c.queued_at.is_(None), "queueing"),
            (mails["waiting"].scalar_subquery() > 0, "sending"),
            else_="done",
        ).label("status"),
        mailboxes.label("mailboxes"),
        *(query.scalar_subquery().label(name) for name, query in mails.items()),
        mass_mailing.c.left_out,
        mass_mailing.c.communication,
        mass_mailing.c.attachment_name.label("attachment"),
        mass_mailing.c.recorded_at,
        mass_mailing.c.recorded_by,
    )


def unsubscribed_addresses() -> Select:
    """Select the mailboxes that want no communications; they still get their bills."""
    return sa.select(unsubscribed_address.c.mailbox.label("address"), unsubscribed_address.c.since)


def _mails() -> Select:
    form = sa.literal(f"{MessageKind.COMMUNICATION}-").concat(
        sa.cast(mass_mailing.c.number, sa.String)
    )
    return (
        sa.select(sa.func.count())
        .select_from(delivery)
        .where(delivery.c.kind == MessageKind.COMMUNICATION, delivery.c.form == form)
    )
