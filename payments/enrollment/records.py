"""Writing down a mandate, its payment, and what becomes of the two lists (rules 74-82)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.queries.outsorted import held_periods
from database.tables import (
    autopay_unscheduled,
    draw,
    enrollment,
    gateway_payment,
    planned_payment,
    scheduled_payment,
)
from domain.money import Money
from domain.payments import (
    DRAW,
    PAYMENT,
    DrawState,
    Mandate,
    PaymentState,
    PlannedPayment,
    Unscheduled,
)
from payments.enrollment.facts import OPEN_DRAWS, EnrollmentFacts, Method
from payments.scheduling.scheduling import payment_key


class ListedAccount(Protocol):
    """An account as the lists have it: its key and its number."""

    @property
    def key(self) -> str: ...

    @property
    def account(self) -> str: ...


@dataclass(frozen=True, slots=True)
class TakenOff:
    """A payment that was taken off the schedule."""

    period: str
    pay_on: date
    amount: Money


def record_enrollment(
    books: Connection,
    standing: EnrollmentFacts,
    agreed: Mandate,
    method: Method,
    consent_version: str,
    consent_text: str,
    now: datetime,
    who: str,
) -> None:
    """Keep the mandate with the very text that was agreed to, when, and who took it down."""
    books.execute(
        enrollment.insert().values(
            account_key=standing.key,
            account=standing.account,
            portal_user=method.portal_user,
            method_token=method.token,
            method_kind=method.kind,
            last4=method.last4,
            days_prior=agreed.days_prior,
            maximum=agreed.maximum,
            pays_up_to_maximum=agreed.pays_up_to_maximum,
            enrolled_on=agreed.enrolled_on,
            enrolled_at=now,
            enrolled_by=who,
            consent_version=consent_version,
            consent_text=consent_text,
        )
    )


def cancel_waiting(books: Connection, key: str) -> Sequence[TakenOff]:
    """
    Take what waits of an account off the schedule, in whatever period.

    Only what surely was not asked for: the update names the state, and a payment with a draw that
    is open or approved is left alone. A draw that was made but not asked for is given up.
    """
    rows = scheduled_payment.c
    is_open = sa.exists().where(draw.c.payment_key == rows.key, draw.c.state.in_(OPEN_DRAWS))
    waits = sa.and_(rows.account_key == key, rows.state == PaymentState.SCHEDULED, ~is_open)
    columns = (rows.key, rows.period, rows.pay_on, rows.amount)
    found = books.execute(
        sa.select(*columns).where(waits).order_by(rows.pay_on).with_for_update()
    ).all()
    paid = gateway_payment.c
    has_draw = sa.exists().where(draw.c.payment_key == paid.key, draw.c.state.in_(OPEN_DRAWS))
    taken_off = []
    for row in found:
        changed = books.execute(
            gateway_payment.update()
            .where(paid.key == row.key, paid.state == PaymentState.SCHEDULED, ~has_draw)
            .values(state=PAYMENT.after(PaymentState.SCHEDULED, "cancelled"))
        )
        if changed.rowcount == 1:
            taken_off.append(TakenOff(row.period, row.pay_on, row.amount))
            books.execute(
                draw.update()
                .where(draw.c.payment_key == row.key, draw.c.state == DrawState.CREATED)
                .values(state=DRAW.after(DrawState.CREATED, "abandoned"))
            )
    return taken_off


def record_outcome(
    books: Connection,
    standing: EnrollmentFacts,
    agreed: Mandate,
    planned: PlannedPayment | None,
    now: datetime,
) -> None:
    """
    Schedule what enrolling brings about, or list why nothing is scheduled (rule 82).

    In a period whose bill is held back nothing is.
    """
    for period in held_periods(books, standing.key):
        forget_plan(books, period, standing.key)
        list_unscheduled(books, period, standing, Unscheduled.HELD)
    if standing.period is None or planned is None:
        return
    forget_plan(books, standing.period, standing.key)
    if planned.pay_on is not None:
        _schedule(books, standing, agreed, planned, now)
    elif planned.unscheduled is not None and not _is_listed(books, standing):
        list_unscheduled(books, standing.period, standing, planned.unscheduled)


def list_unscheduled(
    books: Connection, period: str, standing: ListedAccount, reason: Unscheduled
) -> None:
    """Put an account on a closed period's list of those that have no payment."""
    books.execute(
        autopay_unscheduled.insert().values(
            period=period, account_key=standing.key, account=standing.account, reason=reason
        )
    )


def forget_plan(books: Connection, period: str, key: str) -> None:
    """Take an account off a closed period's plan and its list of those without a payment."""
    for table in (planned_payment, autopay_unscheduled):
        books.execute(table.delete().where(table.c.period == period, table.c.account_key == key))


def _schedule(
    books: Connection,
    standing: EnrollmentFacts,
    agreed: Mandate,
    planned: PlannedPayment,
    now: datetime,
) -> None:
    """Insert the period's payment, or schedule anew the one that was cancelled or declined."""
    assert standing.period is not None
    key = payment_key(standing.period, standing.key)
    values: dict[str, Any] = {
        "pay_on": planned.pay_on,
        "amount": planned.amount,
        "method_token": agreed.method_token,
        "method_kind": agreed.method_kind,
        "last4": agreed.last4,
        "immediate": planned.immediate,
        "confirmation": None,
        "error": None,
        "scheduled_at": now,
    }
    state = books.scalar(sa.select(scheduled_payment.c.state).where(scheduled_payment.c.key == key))
    if state is None:
        facts = {
            "period": standing.period,
            "account_key": standing.key,
            "account": standing.account,
        }
        values |= facts | {"key": key, "state": PAYMENT.start}
        books.execute(gateway_payment.insert().values(values))
        return
    event = "tried again" if state is PaymentState.DECLINED else "enrolled again"
    changed = books.execute(
        gateway_payment.update()
        .where(gateway_payment.c.key == key, gateway_payment.c.state == state)
        .values(values | {"state": PAYMENT.after(state, event)})
    )
    if changed.rowcount != 1:
        raise RuntimeError(f"payment {key} was changed by somebody else")


def _is_listed(books: Connection, standing: EnrollmentFacts) -> bool:
    """Tell whether the account is on the list of payments of the period."""
    rows = scheduled_payment.c
    mine = sa.and_(rows.period == standing.period, rows.account_key == standing.key)
    query = sa.select(rows.key).where(mine, rows.state != PaymentState.CANCELLED)
    return books.execute(query).first() is not None
