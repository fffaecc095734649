"""How many ACH draws of the last weeks came back, and for what kind of reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import draw, payment_return, scheduled_payment
from domain.payments import DrawState, MethodKind
from rules.returns import CODES, LIMITS, RATE_WINDOW, ReturnKind, ReturnRate, return_rates

_DRAWN = draw.join(scheduled_payment, scheduled_payment.c.key == draw.c.payment_key)
_CAME_BACK = sa.and_(
    payment_return.c.payment_key == draw.c.payment_key, ~payment_return.c.charged_back
)
_IS_ACH = sa.and_(
    scheduled_payment.c.method_kind == MethodKind.ACH, draw.c.state == DrawState.APPROVED
)


def read_return_rates(books: Connection, now: datetime | None = None) -> tuple[ReturnRate, ...]:
    """
    Return the rates that Nacha watches, counted by the day of the draw and not of its return.

    A return that comes late belongs to the weeks in which the draw was originated. `now` None:
    the weeks up to the newest draw.
    """
    until = now or books.scalar(
        sa.select(sa.func.max(draw.c.answered_at)).select_from(_DRAWN).where(_IS_ACH)
    )
    if until is None:
        return return_rates(0, {})
    window = (_IS_ACH, draw.c.answered_at > until - RATE_WINDOW, draw.c.answered_at <= until)
    originated = sa.select(sa.func.count()).select_from(_DRAWN).where(*window)
    returned = (
        sa.select(payment_return.c.code, sa.func.count().label("times"))
        .select_from(_DRAWN.join(payment_return, _CAME_BACK))
        .where(*window)
        .group_by(payment_return.c.code)
    )
    times = {row.code: row.times for row in books.execute(returned)}
    return return_rates(books.scalar(originated) or 0, times)


def rates_by_period() -> sa.Select[Any]:
    """Select how many of each period's ACH draws came back, by kind, beside what Nacha allows."""
    return sa.select(sa.union_all(*(_of_kind(kind) for kind in ReturnKind)).subquery())


def _of_kind(kind: ReturnKind) -> sa.Select[Any]:
    code = payment_return.c.code
    is_counted = code.in_(CODES[kind]) if kind in CODES else code.is_not(None)
    returned = sa.func.count().filter(is_counted)
    rate = sa.func.round(sa.cast(100.0 * returned / sa.func.count(), sa.Numeric(9, 4)), 2)
    return (
        sa.select(
            scheduled_payment.c.run.label("period"),
            sa.literal(kind.value).label("kind"),
            returned.label("returned"),
            sa.func.count().label("originated"),
            sa.cast(rate, sa.Float).label("rate_percent"),
            sa.literal(float(100 * LIMITS[kind]), sa.Float).label("limit_percent"),
        )
        .select_from(_DRAWN.outerjoin(payment_return, _CAME_BACK))
        .where(_IS_ACH)
        .group_by(scheduled_payment.c.run)
    )
