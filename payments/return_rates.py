"""How many ACH draws of the last weeks came back, and for what kind of reason."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from database.books import Database
from database.tables import draw, payment_return, scheduled_payment
from domain.payments import DrawState, MethodKind
from rules.returns import RATE_WINDOW, ReturnRate, return_rates


def read_return_rates(database: Database, now: datetime) -> tuple[ReturnRate, ...]:
    """
    Return the rates that Nacha watches, counted by the day of the draw and not of its return.

    A return that comes late belongs to the month in which the draw was originated.
    """
    drawn = draw.join(scheduled_payment, scheduled_payment.c.key == draw.c.payment_key)
    came_back = drawn.join(payment_return, payment_return.c.payment_key == draw.c.payment_key)
    conditions = (
        scheduled_payment.c.method_kind == MethodKind.ACH,
        draw.c.state == DrawState.APPROVED,
        draw.c.answered_at > now - RATE_WINDOW,
        draw.c.answered_at <= now,
    )
    code = payment_return.c.code
    originated = sa.select(sa.func.count()).select_from(drawn).where(*conditions)
    returned = (
        sa.select(code, sa.func.count().label("times"))
        .select_from(came_back)
        .where(*conditions, ~payment_return.c.charged_back)
        .group_by(code)
    )
    with database.reading() as books:
        times = {row.code: row.times for row in books.execute(returned)}
        return return_rates(books.scalar(originated) or 0, times)
