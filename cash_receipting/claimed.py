"""A posting that a worker has, with what it needs to ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cash_receipting.port import PostingRequest
from database.tables import bill_run, payment_return, posting, scheduled_payment
from domain.payments import PostingKind


@dataclass(frozen=True, slots=True)
class Claimed:
    """A posting that this worker has; `asked_at` is set where it may have been booked before."""

    request: PostingRequest
    asked_at: datetime | None
    attempts: int
    created_at: datetime

    @property
    def key(self) -> str:
        return self.request.key


def read_claimed(books: Connection, keys: Sequence[str]) -> dict[str, Claimed]:
    """Read postings by their keys, with the payments that they are of."""
    return {row.key: _to_claimed(row) for row in books.execute(_facts(keys))}


def _facts(keys: Sequence[str]) -> sa.Select[Any]:
    receipt = posting.alias("receipt")
    of_payment = scheduled_payment.c.key
    return (
        sa.select(
            posting,
            scheduled_payment.c.account,
            scheduled_payment.c.method_kind,
            scheduled_payment.c.confirmation,
            scheduled_payment.c.taken_at,
            payment_return.c.happened_at,
            bill_run.c.timezone,
            receipt.c.receipt.label("reverses"),
        )
        .join(scheduled_payment, of_payment == posting.c.payment_key)
        .join(bill_run, bill_run.c.run == scheduled_payment.c.run)
        .outerjoin(payment_return, payment_return.c.payment_key == of_payment)
        .outerjoin(
            receipt,
            sa.and_(receipt.c.payment_key == of_payment, receipt.c.kind == PostingKind.RECEIPT),
        )
        .where(posting.c.key.in_(keys))
    )


def _to_claimed(row: Any) -> Claimed:
    is_receipt = row.kind is PostingKind.RECEIPT
    happened_at = (row.taken_at if is_receipt else row.happened_at) or row.created_at
    request = PostingRequest(
        key=row.key,
        kind=row.kind,
        account=row.account,
        amount=row.amount,
        method_kind=row.method_kind,
        confirmation=row.confirmation or "",
        taken_on=happened_at.astimezone(ZoneInfo(row.timezone)).date(),
        reverses=row.reverses if row.kind is PostingKind.REVERSAL else None,
    )
    return Claimed(request, row.asked_at, row.attempts, row.created_at)
