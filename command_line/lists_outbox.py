"""Lists of what was mailed: deliveries, what came back, and whom nobody writes to any more."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.tables import bounce, delivery, suppressed_address
from domain.bounces import BounceKind
from domain.deliveries import DeliveryStatus

Select = sa.Select[Any]


def deliveries() -> Select:
    sending = delivery.c.status == DeliveryStatus.SENDING
    status = sa.case(
        (sending, DeliveryStatus.QUEUED.value), else_=sa.cast(delivery.c.status, sa.String)
    )
    return sa.select(
        delivery.c.account,
        delivery.c.run.label("period"),
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


def bounces() -> Select:
    """Select the mails that came back; `waits` are those that a person has to judge."""
    return sa.select(
        sa.func.substr(bounce.c.id, 1, 12).label("id"),
        bounce.c.received_at,
        delivery.c.account,
        delivery.c.run.label("period"),
        bounce.c.action,
        bounce.c.status,
        bounce.c.kind,
        waits().label("waits"),
        bounce.c.diagnostic,
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


def waits() -> sa.ColumnElement[bool]:
    """Claim that a bounce waits for a person to judge it."""
    return sa.and_(bounce.c.kind == BounceKind.UNKNOWN, bounce.c.settled_at.is_(None))
