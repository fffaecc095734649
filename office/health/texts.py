"""Whether text messages leave: the carrier may be away, or refuse our account."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from database.definitions.texts import text_message
from domain.deliveries import WAITING, DeliveryStatus, MessageKind
from domain.words import say_count
from office.health.conditions import Condition, Looking, or_well, trouble, unwatched

KIND = "texts-waiting"
PATIENCE = timedelta(hours=24)  # a night and a day: none leaves at night
_OPEN = (*WAITING, DeliveryStatus.IN_DOUBT)


def waiting_texts(looking: Looking) -> list[Condition]:
    """Find texts about bills that have waited for more than a day, whatever keeps them."""
    rows = text_message.c
    query = sa.select(sa.func.count(), sa.func.min(rows.queued_at), sa.func.max(rows.error)).where(
        rows.status.in_(_OPEN), rows.kind != MessageKind.ACCESS
    )
    with looking.office.database.reading() as books:
        if books.scalar(sa.select(rows.key).limit(1)) is None:
            return unwatched(KIND, "Nobody is told by text.")
        late = query.where(rows.queued_at < looking.now - PATIENCE)
        number, since, error = books.execute(late).one()
    if not number:
        return or_well(KIND, (), "Texts leave.")
    why = f" ({error})" if error else ""
    detail = f"{say_count(number, 'text')} wait for more than a day{why}."
    remedy = "Have put right what keeps them; they leave by themselves afterwards."
    command = f"{looking.office.command} texts send"
    return [trouble(KIND, "", since + PATIENCE, detail, remedy, command=command)]
