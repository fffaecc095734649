"""Why a customer was told by text, and what became of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.texts import text_message
from domain.deliveries import DeliveryStatus
from domain.phones import ending
from domain.reminders import REMINDERS
from office.lookup.why.delivery import KINDS
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic


def why_texts(case: Case) -> Sentences:
    """Say of each text of the period where it went and how it ended."""
    rows = text_message.c
    query = (
        sa.select(text_message)
        .where(rows.account_key == case.account_key, rows.period == case.period)
        .order_by(rows.queued_at, rows.key)
    )
    for row in case.rows(query):
        what, rules = KINDS[row.kind]
        topic = Topic.REMINDER if row.kind in REMINDERS else Topic.DELIVERY
        text = (
            f"{what.capitalize()} went as a text to the phone ending {ending(row.phone)}, because "
            f"{row.address} chose texts in the portal: {_fate(case, row)}"
        )
        yield Sentence(topic, text, ("103", *rules), row.key)


def _fate(case: Case, row: Any) -> str:
    match row.status:
        case DeliveryStatus.SENT:
            fate = f"the carrier took it {case.say_time(row.sent_at)}"
            return f"{fate}; it may have arrived twice" if row.possible_duplicate else fate
        case DeliveryStatus.FAILED:
            return f"it did not arrive: {row.error}; a mail takes its place"
        case DeliveryStatus.DEFERRED:
            return f"the carrier put it off ({row.error}); it is tried again"
        case DeliveryStatus.IN_DOUBT:
            return "it may have left or not, because the answer was lost; the carrier is asked"
        case _:
            return f"it was recorded {case.say_time(row.queued_at)} and waits for its hour"
