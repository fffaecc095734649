"""Settlements: what the gateway paid out, stored once and matched to our draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database, insert_rows
from database.tables import draw, settlement, settlement_item
from domain.failures import TemporaryFailure
from domain.money import ZERO, Money
from payments.gateway import PaymentGateway, Settlement

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
