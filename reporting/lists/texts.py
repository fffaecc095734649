"""The list of text messages; of a phone its last four digits."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.texts import mass_text, text_message
from domain.deliveries import WAITING, DeliveryStatus, MessageKind


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


def mass_texts() -> sa.Select[Any]:
    """Select the texts to many, each with how many phones it is for and what became of them."""
    rows = mass_text.c
    return sa.select(
        rows.number,
        rows.day,
        rows.words,
        rows.words_es.label("spanish"),
        rows.phones,
        _count(DeliveryStatus.SENT).label("sent"),
        _count(*WAITING, DeliveryStatus.SENDING).label("waiting"),
        _count(DeliveryStatus.FAILED).label("failed"),
        _count(DeliveryStatus.IN_DOUBT).label("in_doubt"),
        rows.segments,
        rows.recorded_at,
        rows.recorded_by,
    )


def _count(*statuses: DeliveryStatus) -> sa.ScalarSelect[Any]:
    rows = text_message.c
    form = sa.literal("text-").concat(sa.cast(mass_text.c.number, sa.String))
    return (
        sa.select(sa.func.count())
        .where(rows.kind == MessageKind.COMMUNICATION, rows.form == form, rows.status.in_(statuses))
        .scalar_subquery()
    )
