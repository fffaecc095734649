"""What became of payments that were taken: returns, disputes, refunds."""

from __future__ import annotations

import sqlalchemy as sa

from database.ledger.tables import payment_event
from database.tables import draw
from domain.ledger import EntryKind

TAKEN_BACK = (EntryKind.RETURN, EntryKind.DISPUTE)  # by a bank


def newest_taken_back() -> sa.Subquery:
    """
    Select for each payment that a bank took back, wholly or in part, the newest time it did.

    A payment has as many events as happen: whoever joined them all would see it several times.
    """
    event = payment_event.c
    newest_first = (event.happened_at.desc(), event.event_id.desc())
    numbered = (
        sa.select(
            draw.c.payment_key,
            *event,
            sa.func.row_number()
            .over(partition_by=draw.c.payment_key, order_by=newest_first)
            .label("place"),
        )
        .join(draw, draw.c.key == event.draw_key)
        .where(event.kind.in_(TAKEN_BACK))
        .subquery()
    )
    columns = [column for column in numbered.c if column.name != "place"]
    return sa.select(*columns).where(numbered.c.place == 1).subquery("taken_back")
