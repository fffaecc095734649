"""Lists about communications: what is posted, mass mails, and who wants none."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.queries.exceptions import waits_for_a_person
from database.tables import (
    bounce,
    communication,
    delivery,
    mass_mailing,
    mass_recipient,
    suppressed_address,
    unsubscribed_address,
)
from database.types import Counted
from domain.bounces import BounceKind
from domain.deliveries import DeliveryStatus, MessageKind
from rules.mail.communications import SAID

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
        sa.type_coerce(mass_mailing.c.left_out, Counted(SAID)).label("left_out"),
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


def deliveries() -> Select:
    sending = delivery.c.status == DeliveryStatus.SENDING
    status = sa.case(
        (sending, DeliveryStatus.QUEUED.value), else_=sa.cast(delivery.c.status, sa.String)
    )
    return sa.select(
        delivery.c.account,
        delivery.c.period.label("period"),
        delivery.c.kind,
        delivery.c.address.label("recipient"),
        delivery.c.source,
        sa.type_coerce(status, sa.String).label("status"),
        delivery.c.message_id,
        delivery.c.attempts,
        delivery.c.sent_at,
        delivery.c.error,
        delivery.c.form,
        delivery.c.possible_duplicate,
        delivery.c.bounced_at,
        delivery.c.account_key.label("_account_key"),
    )


def email_events() -> Select:
    """Select all mails of the portal, which the bills of a close are none of (rules 19, 101)."""
    return deliveries().where(delivery.c.kind != MessageKind.BILL)


def bounces() -> Select:
    """Select the mails that came back; `waits` are those that a person judges or reads."""
    return sa.select(
        sa.func.substr(bounce.c.id, 1, 12).label("id"),
        bounce.c.received_at,
        delivery.c.account,
        delivery.c.period.label("period"),
        bounce.c.action,
        bounce.c.status,
        bounce.c.kind,
        sa.or_(waits_for_a_person(), _is_complaint()).label("waits"),
        sa.func.coalesce(delivery.c.address, bounce.c.recipient).label("recipient"),
        bounce.c.sender,
        bounce.c.subject,
        bounce.c.diagnostic,
        bounce.c.first_lines,
        bounce.c.file_name.label("file"),
        delivery.c.account_key.label("_account_key"),
    ).outerjoin_from(bounce, delivery, delivery.c.key == bounce.c.delivery_key)


def suppressed_addresses() -> Select:
    return sa.select(
        suppressed_address.c.mailbox.label("address"),
        delivery.c.account,
        suppressed_address.c.since,
        suppressed_address.c.reason,
        delivery.c.account_key.label("_account_key"),
    ).outerjoin_from(
        suppressed_address, delivery, delivery.c.key == suppressed_address.c.delivery_key
    )


def _is_complaint() -> sa.ColumnElement[bool]:
    """Claim that a complaint has not been settled: a person is to know of it."""
    return sa.and_(bounce.c.kind == BounceKind.COMPLAINT, bounce.c.settled_at.is_(None))
