"""What hangs on one portal user: autopay from their wallet, and payments to come (rule 161)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import checkout
from database.definitions.wallet import brand_of
from database.ledger.locking import lock_balances
from database.queries.portal.accounts import accounts_of_user
from database.queries.portal.bound_methods import OPEN_PAYMENTS, lock_runs, newest_runs
from database.tables import draw, enrollment, gateway_payment, mandate
from database.types import written_out
from domain.identity import PortalUser
from domain.money import Money
from domain.payments import DrawState, MethodKind, PaymentKind, PaymentState
from payments.enrollment.ending import Ended, end_mandate
from payments.enrollment.facts import OPEN_DRAWS, EnrollmentFacts, read_enrollment_facts


class ToCome(StrEnum):
    """What becomes of a payment to come when its portal account is deleted (rule 161)."""

    SCHEDULED = "scheduled"  # cancelled
    PENDING = "pending"  # its day has come, and nobody was asked yet: cancelled
    ASKED = "asked"  # the gateway may have it: it stands, as it cannot be called back


@dataclass(frozen=True, slots=True)
class PaymentToCome:
    """A payment that is not over; `pay_on` is a local date."""

    account: str
    pay_on: date
    amount: Money
    kind: PaymentKind
    method_kind: MethodKind
    last4: str
    stage: ToCome
    brand: str = ""


@dataclass(frozen=True, slots=True)
class HangsOnUser:
    """Whose autopay ends with a portal account, and its payments to come, by their day."""

    autopay: tuple[EnrollmentFacts, ...]
    payments: tuple[PaymentToCome, ...]

    @property
    def cancelled(self) -> tuple[PaymentToCome, ...]:
        return tuple(one for one in self.payments if one.stage is not ToCome.ASKED)

    @property
    def asked(self) -> tuple[PaymentToCome, ...]:
        return tuple(one for one in self.payments if one.stage is ToCome.ASKED)


def hangs_on_user(books: Connection, user: PortalUser) -> HangsOnUser:
    """Return the autopay that draws from a portal user's wallet, and their payments to come."""
    autopay = _autopay_of(books, user)
    keys = [standing.key for standing in autopay]
    rows = books.execute(_OPEN, {"keys": keys, "user": user.number})
    return HangsOnUser(autopay, tuple(_to_payment(row) for row in rows))


def end_autopay_of_user(
    books: Connection, user: PortalUser, *, now: datetime, today: date, who: str, reason: str
) -> Sequence[Ended]:
    """
    End all autopay from a portal user's wallet, and take what waits off the schedule.

    In one transaction with what it follows from: runs are locked first, then balances in the
    order of their keys, as everybody does. What may have been asked for stands. The billing
    system is told.
    """
    lock_runs(books)
    lock_balances(books, [standing.key for standing in _autopay_of(books, user)])
    ended = []
    for standing in _autopay_of(books, user):  # as it stands now that nothing moves any more
        ended.append(end_mandate(books, standing, now=now, today=today, who=who, reason=reason))
    return ended


def _autopay_of(books: Connection, user: PortalUser) -> tuple[EnrollmentFacts, ...]:
    """Return the enrollments that a portal user pays, linked to the account still or not."""
    given, exported = enrollment.c, mandate.c
    keys = {one.account_key for one in accounts_of_user(books, user.number, user.mailbox)}
    own = sa.select(given.account_key).where(
        sa.func.lower(given.portal_user) == user.mailbox, given.cancelled_at.is_(None)
    )
    listed = sa.select(exported.account_key).where(
        exported.portal_user == user.mailbox, exported.active
    )
    keys |= {*books.scalars(own)} | {*books.scalars(listed)}
    known = newest_runs(books, keys)
    standings = (read_enrollment_facts(books, key) for key in sorted(keys) if key in known)
    return tuple(
        standing
        for standing in standings
        if standing.mandate is not None and standing.payer == user.mailbox
    )


def _to_payment(row: Any) -> PaymentToCome:
    return PaymentToCome(
        row.account,
        row.pay_on,
        row.amount,
        row.kind,
        row.method_kind,
        row.last4,
        _stage(row),
        row.brand,
    )


def _stage(row: Any) -> ToCome:
    if row.state is not PaymentState.SCHEDULED or row.is_asked:
        return ToCome.ASKED
    if row.kind is PaymentKind.CHECKOUT:
        return ToCome.ASKED  # a yes was said: it is being asked for at this moment
    return ToCome.PENDING if row.is_made else ToCome.SCHEDULED


_PAID = gateway_payment.c
_HAS = sa.exists().where(draw.c.payment_key == _PAID.key)
_OPEN = (
    sa.select(
        _PAID.account,
        _PAID.pay_on,
        _PAID.amount,
        _PAID.kind,
        _PAID.method_kind,
        _PAID.last4,
        brand_of(_PAID.method_token).label("brand"),
        _PAID.state,
        _HAS.where(draw.c.state.in_(OPEN_DRAWS)).label("is_asked"),
        _HAS.where(draw.c.state == DrawState.CREATED).label("is_made"),
    )
    .where(
        _PAID.state.in_(OPEN_PAYMENTS),
        sa.or_(
            sa.and_(
                _PAID.kind == written_out(PaymentKind.AUTOPAY),
                _PAID.account_key.in_(sa.bindparam("keys", expanding=True)),
            ),
            _PAID.key.in_(
                sa.select(checkout.c.payment_key).where(
                    checkout.c.user_number == sa.bindparam("user"),
                    checkout.c.payment_key.is_not(None),
                )
            ),
        ),
    )
    .order_by(_PAID.pay_on, _PAID.account)
)
