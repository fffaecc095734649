"""The list of text messages; of a phone its last four digits."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.texts import text_message
from domain.deliveries import DeliveryStatus


def texts() -> sa.Select[Any]:
    """Select every text that was to be sent, with what became of it."""
    rows = text_message.c
    sending = rows.status == DeliveryStatus.SENDING
    status = sa.case((sending, DeliveryStatus.QUEUED.value), else_=sa.cast(rows.status, sa.String))
    return sa.select(
        rows.account,
        rows.period,
        rows.kind,
        sa.func.substr(rows.phone, sa.func.length(rows.phone) - 3).label("phone_ending"),
        sa.type_coerce(status, sa.String).label("status"),
        rows.attempts,
        rows.queued_at,
        rows.sent_at,
        rows.error,
        rows.words,
        rows.possible_duplicate,
        rows.reference,
        rows.account_key.label("_account_key"),
    )
