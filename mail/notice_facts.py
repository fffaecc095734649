"""What the books know of the accounts and payments behind a batch of notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.tables import delivery
from domain.deliveries import Recipient, RecipientSource
from domain.money import ZERO, Money
from domain.payments import Advice, DrawState, MethodKind, PaymentState
from mail.notice_query import select_facts
from rules.delivery import may_see_method

COLUMNS = ("key", "run", "account_key", "address", "source")


@dataclass(frozen=True, slots=True)
class Payment:
    """The autopay payment of an account in a run, and how its last draw or its return went."""

    amount: Money
    pay_on: date
    state: PaymentState
    taken_at: datetime | None
    confirmation: str
    receipt: str  # cash receipting's number; empty until it is posted
    error: str  # in the gateway's words and codes: for the office alone
    failed_at: datetime | None  # when the last draw was declined, or the money taken back
    advice: Advice | None


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """
    One account as its notices need it; what the books do not have is None or empty.

    The method is there only where this recipient may read it (rules 117, 118).
    """

    utility: str
    timezone: str
    period: str
    customer: str
    service_address: str
    amount_due: Money | None  # what the close moved to the balance due
    paid: Money
    due_on: date
    payment: Payment | None
    method: MethodKind | None
    last4: str

    @property
    def open_balance(self) -> Money | None:
        return None if self.amount_due is None else self.amount_due - self.paid


def find_notice_facts(database: Database, keys: Sequence[str]) -> dict[str, NoticeFacts]:
    """
    Return the facts of each delivery, by its key, in one query.

    A delivery without a run (a communication) is about the newest closed one. One whose run is
    not in the books any more is missing.
    """
    wanted = (
        sa.select(*(delivery.c[name] for name in COLUMNS))
        .where(delivery.c.key.in_(keys))
        .subquery()
    )
    return _find(database, wanted)


def find_facts_of_notice(database: Database, **columns: Any) -> NoticeFacts | None:
    """Return the facts of a notice that no delivery is recorded for, by COLUMNS: for a look."""
    wanted = sa.select(
        *(sa.literal(columns[name], delivery.c[name].type).label(name) for name in COLUMNS)
    ).subquery()
    return _find(database, wanted).get(columns["key"])


def _find(database: Database, wanted: sa.Subquery) -> dict[str, NoticeFacts]:
    with database.reading() as books:
        return {row.key: _to_facts(row) for row in books.execute(select_facts(wanted))}


def _to_facts(row: Any) -> NoticeFacts:
    recipient = Recipient(row.address, row.source or RecipientSource.CUSTOMER_RECORD)
    is_told = row.method_kind is not None and may_see_method(recipient, row.portal_user or "")
    return NoticeFacts(
        utility=row.utility,
        timezone=row.timezone,
        period=row.run,
        customer=row.name or "",
        service_address=row.service_address or "",
        amount_due=row.amount_due,
        paid=row.paid or ZERO,
        due_on=row.due_on or row.run_due_on,
        payment=_to_payment(row),
        method=row.method_kind if is_told else None,
        last4=row.last4 if is_told else "",
    )


def _to_payment(row: Any) -> Payment | None:
    if row.amount is None:
        return None
    words = (row.error, row.return_code or row.code)
    was_declined = row.draw_state is DrawState.DECLINED
    return Payment(
        amount=row.amount,
        pay_on=row.pay_on,
        state=row.state,
        taken_at=row.taken_at,
        confirmation=row.confirmation or "",
        receipt=row.receipt or "",
        error=" ".join(word for word in words if word),
        failed_at=row.happened_at or (row.answered_at if was_declined else None),
        advice=None if row.return_code else row.advice,
    )
