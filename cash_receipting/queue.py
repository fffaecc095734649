"""The queue of postings in the books: which are due, who works on them, how they went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cash_receipting.port import PostingRequest
from database.books import Database
from database.definitions.checkout import checkout, checkout_line
from database.ledger.tables import balance_entry
from database.postings import is_receipt_of
from database.tables import bill_run, gateway_payment, posting
from domain.payments import POSTING, PostingKind, PostingState


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
    of_payment = gateway_payment.c.key
    return (
        sa.select(
            posting,
            sa.func.coalesce(
                sa.func.nullif(checkout_line.c.account, ""), gateway_payment.c.account
            ).label("account"),
            sa.func.coalesce(checkout_line.c.distribution, "").label("distribution"),
            sa.func.coalesce(checkout_line.c.payor, "").label("payor"),
            sa.func.coalesce(checkout_line.c.comment, "").label("comment"),
            gateway_payment.c.method_kind,
            gateway_payment.c.confirmation,
            balance_entry.c.happened_at,
            bill_run.c.timezone,
            receipt.c.receipt.label("reverses"),
        )
        .join(gateway_payment, of_payment == posting.c.payment_key)
        .join(bill_run, bill_run.c.period == gateway_payment.c.period)
        .join(balance_entry, balance_entry.c.key == posting.c.entry_key)
        .outerjoin(checkout, checkout.c.payment_key == of_payment)
        .outerjoin(
            checkout_line,
            sa.and_(
                checkout_line.c.checkout == checkout.c.key,
                checkout_line.c.number == posting.c.line,
                posting.c.kind.not_in(_FEES),
            ),
        )
        .outerjoin(
            receipt,
            is_receipt_of(of_payment, receipt, posting.c.line),
        )
        .where(posting.c.key.in_(keys))
    )


_FEES = (PostingKind.SERVICE_FEE, PostingKind.SERVICE_FEE_BACK)


def _to_claimed(row: Any) -> Claimed:
    happened_at = row.happened_at or row.created_at
    request = PostingRequest(
        key=row.key,
        kind=row.kind,
        account=row.account,
        amount=row.amount,
        method_kind=row.method_kind,
        confirmation=row.confirmation or "",
        taken_on=happened_at.astimezone(ZoneInfo(row.timezone)).date(),
        reverses=row.reverses if row.kind is PostingKind.REVERSAL else None,
        distribution=row.distribution,
        payor=row.payor,
        comment=row.comment,
    )
    return Claimed(request, row.asked_at, row.attempts, row.created_at)


OLDEST_FIRST = (gateway_payment.c.taken_at, posting.c.created_at, posting.c.key)
OPEN = (PostingState.PENDING, PostingState.SUBMITTED)
ASKING_WINDOW = timedelta(minutes=1)  # what is marked as asked is asked within this, or not at all
LEASE = timedelta(minutes=3)  # a worker that is silent for so long is gone


def list_due(database: Database, now: datetime, *, limit: int | None = None) -> list[str]:
    """
    List the postings that are due, oldest money first.

    A reversal is due only when its receipt is posted, and what was won back before it: there is
    nothing to take back before.
    """
    with database.reading() as books:
        query = _unposted().where(posting.c.next_retry_at <= now).limit(limit)
        return list(books.scalars(query))


def make_due(database: Database, now: datetime) -> None:
    """
    Let what rests rest no longer: a clerk said now (rule 87).

    What another worker is asking for at this moment is looked up before it is asked for again.
    """
    with database.writing() as books:
        books.execute(
            posting.update()
            .where(posting.c.state.in_(OPEN), posting.c.next_retry_at > now)
            .values(next_retry_at=now)
        )


def choose_probe(database: Database) -> list[str]:
    """
    Return the posting that a silent service is tried with, due or not: a list of one or none.

    The one that was tried least, of those the oldest money: one that fails for a reason of its
    own must not keep the others waiting.
    """
    with database.reading() as books:
        query = _unposted().order_by(None)
        return list(books.scalars(query.order_by(posting.c.attempts, *OLDEST_FIRST).limit(1)))


def claim(
    database: Database, keys: Sequence[str], now: datetime, *, due_by: datetime | None
) -> list[Claimed]:
    """
    Take postings for this worker, in one transaction; those that another one took are left out.

    A posting that nobody finished with is free again when the lease is over. `due_by` None: also
    what is not due.
    """
    free = sa.select(posting.c.key).where(posting.c.key.in_(keys), posting.c.state.in_(OPEN))
    if due_by is not None:
        free = free.where(posting.c.next_retry_at <= due_by)
    free = free.order_by(posting.c.key).with_for_update(skip_locked=True)
    taking = (
        posting.update()
        .where(posting.c.key.in_(free))
        .values(state=POSTING.after(PostingState.PENDING, "asked"), next_retry_at=now + LEASE)
        .returning(posting.c.key)
    )
    with database.writing() as books:
        mine = list(books.scalars(taking))
        found = read_claimed(books, mine)
    return [found[key] for key in keys if key in found]


def mark_asked(database: Database, claimed: Iterable[Claimed], now: datetime) -> list[Claimed]:
    """
    Record that postings are asked for from now on, before they are; return those still ours.

    Whoever finds them so after a crash looks them up first.
    """
    ours = []
    with database.writing() as books:
        for one in claimed:
            changed = books.execute(
                _of(one.key, one.asked_at).values(
                    asked_at=now,
                    first_asked_at=sa.func.coalesce(
                        posting.c.first_asked_at, sa.literal(now, posting.c.asked_at.type)
                    ),
                    attempts=posting.c.attempts + 1,
                    next_retry_at=now + LEASE,
                )
            )
            if changed.rowcount == 1:
                ours.append(one)
    return ours


def change(
    books: Connection, key: str, last_asked_at: datetime | None, values: Mapping[str, Any]
) -> bool:
    """Change a submitted posting that was last asked for at that moment; tell whether it was so."""
    if values.get("asked_at", last_asked_at) is None:
        values = {**values, "first_asked_at": None}  # it surely is not there, and never was
    return books.execute(_of(key, last_asked_at).values(**values)).rowcount == 1


def _of(key: str, asked_at: datetime | None) -> sa.Update:
    return posting.update().where(
        posting.c.key == key,
        posting.c.state == PostingState.SUBMITTED,
        posting.c.asked_at.is_(None) if asked_at is None else posting.c.asked_at == asked_at,
    )


_GO_BACK = (PostingKind.REVERSAL, PostingKind.SERVICE_FEE_BACK)


@cache
def _unposted() -> sa.Select[Any]:
    receipt = posting.alias("receipt")
    receipt_is_posted = sa.exists().where(
        is_receipt_of(posting.c.payment_key, receipt, posting.c.line),
        receipt.c.state == PostingState.POSTED,
    )
    won_back = posting.alias("won_back")
    waits_for_more = sa.exists().where(
        won_back.c.payment_key == posting.c.payment_key,
        won_back.c.line == posting.c.line,
        won_back.c.kind == PostingKind.RECEIPT,
        won_back.c.state.in_(OPEN),
        won_back.c.created_at < posting.c.created_at,
    )
    may_go_back = sa.and_(receipt_is_posted, ~waits_for_more)
    return (
        sa.select(posting.c.key)
        .join(gateway_payment, gateway_payment.c.key == posting.c.payment_key)
        .where(
            posting.c.state.in_(OPEN),
            sa.or_(posting.c.kind.not_in(_GO_BACK), may_go_back),
        )
        .order_by(*OLDEST_FIRST)
    )
