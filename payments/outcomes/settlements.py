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
from database.definitions.checkout import checkout, checkout_line
from database.inserting import insert_new
from database.ledger.tables import payment_event
from database.tables import (
    draw,
    gateway_payment,
    posting,
    settled_item,
    settlement,
    settlement_item,
)
from domain.failures import Misuse, TemporaryFailure
from domain.ledger import EntryKind
from domain.money import ZERO, Money
from domain.payments import DrawState, PostingKind
from payments.outcomes.returns import GIVEN_BACK
from payments.port import PaymentGateway, Settlement

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
    item: str = ""  # its name: the settlement and the line in it, or a draw's confirmation


def list_items(database: Database, day: date | None = None) -> list[SettledItem]:
    """Return the items of the deposits of a day, or of all, oldest first (rules 114, 116)."""
    query = _items()
    if day is not None:
        query = query.where(settlement.c.pays_out_on == day)
    with database.reading() as books:
        return [_to_item(row) for row in books.execute(query)]


def list_differences(database: Database, now: datetime) -> list[SettledItem]:
    """
    Return every item that does not agree, and the draws that no settlement has.

    Without those that a person has settled.
    """
    differing = [item for item in list_items(database) if item.difference is not None]
    with database.reading() as books:
        settled = set(books.scalars(sa.select(settled_item.c.item)))
    everything = differing + _never_paid_out(database, now)
    return [item for item in everything if item.item not in settled]


def deposits() -> sa.Select[Any]:
    """
    Select all payments and returns of all deposits, each with the moment it was posted.

    Rules 113-116: by the day of the deposit and its provider. What no draw of ours stands for, as
    a fee of the gateway's own, is `other`. `item` is its name for `deposits settle`.
    """
    items = settlement_item.c
    kind = sa.case(
        (draw.c.key.is_(None), "other"),
        (_IS_BACK, sa.func.coalesce(_event_kind(), "return")),
        else_=sa.func.coalesce(_event_kind(), "payment"),
    )
    return sa.select(
        items.settlement_id.label("deposit"),
        settlement.c.gateway.label("provider"),
        settlement.c.pays_out_on.label("date"),
        items.reference.label("confirmation"),
        gateway_payment.c.account,
        kind.label("kind"),
        items.amount,
        items.fee,
        _posted_at().label("posted_at"),
        _item_name().label("item"),
        gateway_payment.c.account_key.label("_account_key"),
        items.line.label("_line"),
    ).select_from(_with_our_side())


_ITEM = settlement_item.c
_NOTHING = sa.literal(ZERO, _ITEM.amount.type)
_IS_BACK = _ITEM.amount < _NOTHING
_SIZE = sa.case((_IS_BACK, -_ITEM.amount), else_=_ITEM.amount)
_GOES = (EntryKind.RETURN, EntryKind.DISPUTE, EntryKind.REFUND)
_COMES = (EntryKind.REINSTATED, EntryKind.REFUND_FAILED)


def _item_name() -> sa.ColumnElement[str]:
    line = sa.cast(_ITEM.line, sa.String)
    return _ITEM.settlement_id.concat("/").concat(line)


def _with_our_side() -> sa.FromClause:
    """Join what we know of each item: its draw and its payment."""
    return (
        settlement_item.join(settlement, settlement.c.settlement_id == _ITEM.settlement_id)
        .outerjoin(draw, draw.c.reference == _ITEM.reference)
        .outerjoin(gateway_payment, gateway_payment.c.key == draw.c.payment_key)
    )


def _event_kind() -> sa.ScalarSelect[Any]:
    """What became of the draw that has the item's amount, as deposits name it."""
    rows = payment_event.c
    names = {EntryKind.DISPUTE: "charge-back"}
    word = sa.case(
        *((rows.kind == kind, names.get(kind, kind.value)) for kind in (*_GOES, *_COMES))
    )
    way = sa.case((_IS_BACK, rows.kind.in_(_GOES)), else_=rows.kind.in_(_COMES))
    return (
        sa.select(sa.func.min(word))
        .where(rows.draw_key == draw.c.key, rows.amount == _SIZE, way)
        .correlate(settlement_item, draw)
        .scalar_subquery()
    )


def _posted_at() -> sa.ScalarSelect[Any]:
    """When the item's posting was entered: that of the draw's payment with its amount."""
    kind = sa.case((_IS_BACK, PostingKind.REVERSAL.value), else_=PostingKind.RECEIPT.value)
    return (
        sa.select(sa.func.min(posting.c.posted_at, type_=posting.c.posted_at.type))
        .where(
            posting.c.payment_key == draw.c.payment_key,
            sa.cast(posting.c.kind, sa.String) == kind,
            sa.or_(
                posting.c.amount == _SIZE,
                posting.c.amount + gateway_payment.c.service_fee == _SIZE,  # booked apart
                _has_lines(),  # booked one by one
            ),
        )
        .correlate(settlement_item, draw, gateway_payment)
        .scalar_subquery()
    )


def _has_lines() -> sa.ColumnElement[bool]:
    """Claim that a payment has several lines, and that each of its postings is entered."""
    waiting = posting.alias("waiting")
    of_payment = (
        sa.select(sa.func.count())
        .select_from(checkout_line)
        .join(checkout, checkout.c.key == checkout_line.c.checkout)
    )
    lines = of_payment.where(checkout.c.payment_key == draw.c.payment_key)
    waits = sa.exists().where(
        waiting.c.payment_key == draw.c.payment_key, waiting.c.posted_at.is_(None)
    )
    counted = lines.correlate(draw).scalar_subquery()
    return sa.and_(counted > 1, ~waits.correlate(draw))


def _events(kinds: tuple[EntryKind, ...], *, of_amount: bool) -> sa.ScalarSelect[int]:
    rows = payment_event.c
    conditions = [rows.draw_key == draw.c.key, rows.kind.in_(kinds)]
    if of_amount:
        conditions.append(rows.amount == _SIZE)
    count = sa.select(sa.func.count()).select_from(payment_event).where(*conditions)
    return count.correlate(settlement_item, draw).scalar_subquery()


def _alike() -> sa.ScalarSelect[int]:
    """How many items of all deposits have this one's reference and amount."""
    other = settlement_item.alias("other")
    count = sa.select(sa.func.count()).select_from(other)
    alike = count.where(other.c.reference == _ITEM.reference, other.c.amount == _ITEM.amount)
    return alike.correlate(settlement_item).scalar_subquery()


def _items() -> sa.Select[Any]:
    return (
        sa.select(
            _ITEM.settlement_id,
            settlement.c.pays_out_on,
            _ITEM.reference,
            _ITEM.amount,
            _ITEM.fee,
            _item_name().label("item"),
            draw.c.amount.label("drawn"),
            draw.c.state,
            draw.c.code,
            gateway_payment.c.account,
            _posted_at().label("posted_at"),
            _events(_GOES, of_amount=True).label("gone"),
            _events(_GOES, of_amount=False).label("gone_at_all"),
            _events(_COMES, of_amount=True).label("come"),
            _alike().label("alike"),
        )
        .select_from(_with_our_side())
        .order_by(settlement.c.pays_out_on, _ITEM.settlement_id, _ITEM.line)
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
        row.item,
    )


def _difference(row: Any) -> Difference | None:
    """Return what does not agree; a second draw that was given back is a pair that agrees."""
    if row.drawn is None:
        return Difference.NOT_OURS
    is_pair = row.code == GIVEN_BACK and abs(row.amount.cents) == row.drawn.cents
    if row.amount < ZERO:
        if row.alike <= row.gone or is_pair:
            return None
        return Difference.AMOUNT if row.gone_at_all else Difference.NOT_RETURNED
    if row.state is not DrawState.APPROVED:
        return None if is_pair else Difference.NOT_TAKEN
    if row.amount != row.drawn:
        return None if row.alike <= row.come else Difference.AMOUNT
    return Difference.TWICE if row.alike > 1 + row.come else None


def settle_item(
    database: Database, item: str, reason: str, *, now: datetime, who: str
) -> SettledItem:
    """
    Take a person's word that a difference is settled: nobody hears of it any more.

    Raises Misuse where no difference of that name is open.
    """
    found = [one for one in list_differences(database, now) if one.item == item]
    if not found:
        raise Misuse(
            f"No difference {item} is open; `billclose deposits` names those that are.",
            "unknown-difference",
        )
    with database.writing() as books:
        row = {"item": item, "reason": reason, "settled_at": now, "settled_by": who}
        books.execute(insert_new(books.dialect.name, settled_item), row)
        account = found[0].account or found[0].reference
        detail = f"{item}, {found[0].difference}, {found[0].amount.dollars()}; {reason}"
        record_audit(books, now, who, "settle deposit item", account, detail)
    return found[0]


def _never_paid_out(database: Database, now: datetime) -> list[SettledItem]:
    """Return the draws of before the newest settlement that are in none."""
    newest = sa.select(sa.func.max(settlement.c.pays_out_on)).scalar_subquery()
    query = (
        sa.select(draw.c.reference, draw.c.amount, draw.c.answered_at, gateway_payment.c.account)
        .join(gateway_payment, gateway_payment.c.key == draw.c.payment_key)
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
                Difference.NEVER_PAID_OUT, row.reference,
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
