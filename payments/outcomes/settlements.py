"""Settlements: what the gateway paid out, stored once and matched to our draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database, insert_rows
from database.queries.payment_events import newest_taken_back
from database.tables import (
    draw,
    posting,
    scheduled_payment,
    settlement,
    settlement_item,
)
from domain.failures import TemporaryFailure
from domain.ledger import EntryKind
from domain.money import ZERO, Money
from domain.payments import DrawState, PostingKind
from payments.port import PaymentGateway, Settlement

TAKEN_BACK = newest_taken_back()
PAID_OUT_AFTER = timedelta(days=10)  # the slowest payout: four banking days and holidays


class Difference(StrEnum):
    """What does not agree between a settlement and our books."""

    NOT_OURS = "not-ours"  # paid out, and we know no such draw
    NOT_TAKEN = "not-taken"  # paid out, and we think that it was not drawn
    AMOUNT = "amount"
    TWICE = "twice"  # one draw in two items above zero
    NOT_RETURNED = "not-returned"  # taken back out of a payout, and we know of no return
    NEVER_PAID_OUT = "never-paid-out"  # drawn long ago and in no settlement


@dataclass(frozen=True, slots=True)
class SettledItem:
    """
    One payment or return of a deposit, with the moment it was posted (rule 116).

    `account` and `posted_at` are None for what we do not know, or did not post yet.
    """

    settlement_id: str
    pays_out_on: date
    reference: str
    account: str | None
    amount: Money
    fee: Money
    posted_at: datetime | None
    difference: Difference | None


def list_items(database: Database, day: date | None = None) -> list[SettledItem]:
    """Return the items of the deposits of a day, or of all, oldest first (rules 114, 116)."""
    query = _items()
    if day is not None:
        query = query.where(settlement.c.pays_out_on == day)
    with database.reading() as books:
        return [_to_item(row) for row in books.execute(query)]


def list_differences(database: Database, now: datetime) -> list[SettledItem]:
    """Return every item that does not agree, and the draws that no settlement has."""
    differing = [item for item in list_items(database) if item.difference is not None]
    return differing + _never_paid_out(database, now)


def deposits() -> sa.Select[Any]:
    """
    Select all payments and returns of all deposits, each with the moment it was posted.

    Rules 113-116: by the day of the deposit and its provider. What no draw of ours stands for, as
    a fee of the gateway's own, is `other`.
    """
    items = settlement_item.c
    kind = sa.case(
        (draw.c.key.is_(None), "other"),
        (sa.and_(_IS_BACK, TAKEN_BACK.c.kind == EntryKind.DISPUTE), "charge-back"),
        (_IS_BACK, "return"),
        else_="payment",
    )
    return sa.select(
        items.settlement_id.label("deposit"),
        settlement.c.gateway.label("provider"),
        settlement.c.pays_out_on.label("date"),
        items.reference.label("confirmation"),
        scheduled_payment.c.account,
        kind.label("kind"),
        items.amount,
        items.fee,
        posting.c.posted_at,
        scheduled_payment.c.account_key.label("_account_key"),
        items.line.label("_line"),
    ).select_from(_with_our_side())


_IS_BACK = settlement_item.c.amount < sa.literal(ZERO, settlement_item.c.amount.type)


def _with_our_side() -> sa.FromClause:
    """Join what we know of each item: its draw, its payment, its posting and its return."""
    kind = sa.case((_IS_BACK, PostingKind.REVERSAL.value), else_=PostingKind.RECEIPT.value)
    is_posting = sa.and_(
        posting.c.payment_key == draw.c.payment_key, sa.cast(posting.c.kind, sa.String) == kind
    )
    return (
        settlement_item.join(
            settlement, settlement.c.settlement_id == settlement_item.c.settlement_id
        )
        .outerjoin(draw, draw.c.reference == settlement_item.c.reference)
        .outerjoin(scheduled_payment, scheduled_payment.c.key == draw.c.payment_key)
        .outerjoin(posting, is_posting)
        .outerjoin(TAKEN_BACK, TAKEN_BACK.c.payment_key == draw.c.payment_key)
    )


def _items() -> sa.Select[Any]:
    items, other = settlement_item.c, settlement_item.alias("other")
    is_same = sa.and_(other.c.settlement_id == items.settlement_id, other.c.line == items.line)
    again = (
        sa.exists()
        .where(
            other.c.reference == items.reference,
            other.c.amount > sa.literal(ZERO, items.amount.type),
            ~is_same,
        )
        .label("again")
    )
    return (
        sa.select(
            items.settlement_id,
            settlement.c.pays_out_on,
            items.reference,
            items.amount,
            items.fee,
            draw.c.amount.label("drawn"),
            draw.c.state,
            scheduled_payment.c.account,
            posting.c.posted_at,
            TAKEN_BACK.c.amount.label("returned"),
            again,
        )
        .select_from(_with_our_side())
        .order_by(settlement.c.pays_out_on, items.settlement_id, items.line)
    )


def _to_item(row: Any) -> SettledItem:
    return SettledItem(
        row.settlement_id,
        row.pays_out_on,
        row.reference,
        row.account,
        row.amount,
        row.fee,
        row.posted_at,
        _difference(row),
    )


def _difference(row: Any) -> Difference | None:
    if row.drawn is None:
        return Difference.NOT_OURS
    if row.amount < ZERO:
        if row.returned is None:
            return Difference.NOT_RETURNED
        return None if -row.amount == row.returned else Difference.AMOUNT
    if row.state is not DrawState.APPROVED:
        return Difference.NOT_TAKEN
    if row.amount != row.drawn:
        return Difference.AMOUNT
    return Difference.TWICE if row.again else None


def _never_paid_out(database: Database, now: datetime) -> list[SettledItem]:
    """Return the draws of before the newest settlement that are in none."""
    newest = sa.select(sa.func.max(settlement.c.pays_out_on)).scalar_subquery()
    query = (
        sa.select(draw.c.reference, draw.c.amount, draw.c.answered_at, scheduled_payment.c.account)
        .join(scheduled_payment, scheduled_payment.c.key == draw.c.payment_key)
        .where(
            draw.c.state == DrawState.APPROVED,
            draw.c.answered_at < now - PAID_OUT_AFTER,
            newest.is_not(None),
            ~sa.exists().where(settlement_item.c.reference == draw.c.reference),
        )
        .order_by(draw.c.answered_at, draw.c.key)
    )
    with database.reading() as books:
        return [
            SettledItem(
                "", row.answered_at.date(), row.reference, row.account, row.amount, ZERO, None,
                Difference.NEVER_PAID_OUT,
            )
            for row in books.execute(query)
        ]  # fmt: skip


OVERLAP = timedelta(days=10)  # a payout may be told late


@dataclass(slots=True)
class SettlementCounts:
    """What was paid out since the last time; `changed` were told otherwise before."""

    new: int = 0
    net: Money = ZERO
    changed: int = 0
    stopped_by: str = ""


def read_settlements(
    database: Database,
    gateway: PaymentGateway,
    now: datetime,
    who: str,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> SettlementCounts:
    """
    Store the payouts of the gateway, each once with all of its items (rules 114-116).

    One that was told before with other sums stays as it was first told, and is for a person.
    """
    counts = SettlementCounts()
    since = _since(database)
    if since is None:
        return counts
    try:
        for paid_out in gateway.settlements(since):
            if stop():
                break
            with database.writing() as books:
                _store(books, paid_out, gateway.name, now, who, counts)
    except TemporaryFailure as failure:
        counts.stopped_by = str(failure) or "the payment gateway is down"
    return counts


def _store(
    books: Connection,
    paid_out: Settlement,
    gateway: str,
    now: datetime,
    who: str,
    counts: SettlementCounts,
) -> None:
    known = books.execute(
        sa.select(settlement.c.gross, settlement.c.fees, settlement.c.net).where(
            settlement.c.settlement_id == paid_out.settlement_id
        )
    ).one_or_none()
    sums = (paid_out.gross, paid_out.fees, paid_out.net)
    if known is None:
        _record(books, paid_out, gateway, now)
        counts.new += 1
        counts.net += paid_out.net
    elif tuple(known) != sums:
        counts.changed += 1
        detail = f"told again with {paid_out.net.dollars()} net, not {known.net.dollars()}"
        record_audit(books, now, who, "settlement changed", paid_out.settlement_id, detail)


def _record(books: Connection, paid_out: Settlement, gateway: str, now: datetime) -> None:
    books.execute(
        settlement.insert().values(
            settlement_id=paid_out.settlement_id,
            gateway=gateway,
            pays_out_on=paid_out.pays_out_on,
            gross=paid_out.gross,
            fees=paid_out.fees,
            net=paid_out.net,
            recorded_at=now,
        )
    )
    insert_rows(
        books,
        settlement_item,
        ["settlement_id", "line", "reference", "draw_key", "amount", "fee"],
        (
            (paid_out.settlement_id, line, item.reference, item.draw_key, item.amount, item.fee)
            for line, item in enumerate(paid_out.items, start=1)
        ),
    )


def _since(database: Database) -> date | None:
    """Return the day from which payouts are read; None before the first draw."""
    with database.reading() as books:
        last: date | None = books.scalar(sa.select(sa.func.max(settlement.c.pays_out_on)))
        first: Any = books.scalar(sa.select(sa.func.min(draw.c.created_at)))
    if last is not None:
        return last - OVERLAP
    return None if first is None else first.date() - timedelta(days=1)
