"""The books as a double-entry journal: what was billed, taken, returned, charged and paid out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from heapq import merge
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import checkout, checkout_line
from database.definitions.corrections import correction
from database.ledger.tables import balance_entry
from database.queries.outsorted import is_outsorted
from database.tables import (
    account,
    balance_due,
    bill_run,
    draw,
    gateway_payment,
    period_close,
    posting,
    settlement,
    settlement_item,
)
from database.types import Cents, Moment
from domain.accounts import AccountStatus, account_key
from domain.checkout import OTHER
from domain.ledger import MONEY_KINDS, EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.payments import PostingKind

RECEIVABLE = "assets:receivable"  # a sub-account for each customer's account number
CLEARING = "assets:clearing:gateway"  # taken, and not yet paid out by the gateway
BANK = "assets:bank"
BILLED = "revenue:billing system"  # charges less what came in at the counter, as it tells them
RETURN_FEES = "revenue:return fees"
SERVICE_FEES = "revenue:service fees"  # of payments by hand
OTHER_REVENUE = "revenue:other payments"  # for something else than a bill (rule 191)
DRAWN_TWICE = "liabilities:drawn twice"  # customers' money, to be given back
GATEWAY_FEES = "expenses:gateway fees"
ACCOUNTS = (
    CLEARING,
    BANK,
    BILLED,
    RETURN_FEES,
    SERVICE_FEES,
    OTHER_REVENUE,
    GATEWAY_FEES,
    DRAWN_TWICE,
)
_BACK_AND_FORTH = tuple(kind for kind in MONEY_KINDS if kind is not EntryKind.PAYMENT)
_NAMES = {
    EntryKind.DISPUTE: "charge-back",
    EntryKind.REFUND: "refund",
    EntryKind.REINSTATED: "reinstated",
    EntryKind.REFUND_FAILED: "refund failed",
}
TWICE = "drawn-twice"  # the code of a draw that landed beside another of its payment


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transaction; `balance` is what the account holds after it, if that is known."""

    account: str
    amount: Money
    balance: Money | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """Amounts that come to zero; `on` is a local date, `code` our key or the gateway's number."""

    on: date
    code: str
    what: str
    entries: tuple[Entry, ...]


@dataclass(slots=True)
class Journal:
    """
    The journal of the whole books, or of one period alone.

    A bill brings the account to its amount due, which holds what its export has of everything
    that came before it; what that has not, is carried over it, as at the close. So what an account
    owes here is what it owes in the books, and the clearing account holds what the gateway has
    taken and not yet paid out. A journal of one period begins at nothing, knows nothing of what
    the feed told, and takes of each payout only the lines of that period.
    """

    books: Connection
    zone: ZoneInfo
    period: str | None = None
    _owed: dict[str, Money] = field(default_factory=dict)  # by account key
    _billed: dict[str, date] = field(default_factory=dict)  # the end of the period billed last

    def transactions(self) -> Iterator[Transaction]:
        """Yield transactions by date, so that balances can be asserted in their order."""
        streams = (
            self._closes(),
            self._taken(),
            self._told(),
            self._corrected(),
            self._returned(),
            self._fees(),
            self._service_fees(),
            self._drawn_twice(),
            self._paid_out(),
        )
        for _, row in merge(*streams, key=lambda one: one[0]):
            yield from row

    def _closes(self) -> Iterator[tuple[datetime, Iterator[Transaction]]]:
        query = (
            sa.select(bill_run.c.period, bill_run.c.ends_on, period_close.c.closed_at)
            .join(period_close, period_close.c.period == bill_run.c.period)
            .where(self._is_of(bill_run.c.period))
            .order_by(period_close.c.closed_at)
        )
        for row in self.books.execute(query).all():
            yield row.closed_at, self._bills(row.period, row.ends_on, row.closed_at)

    def _bills(self, period: str, ends_on: date, closed_at: datetime) -> Iterator[Transaction]:
        on, carried = self._day(closed_at), self._carried(closed_at)
        query = sa.select(account.c.account_key, account.c.account, account.c.amount_due).where(
            account.c.period == period,
            account.c.status != AccountStatus.CLOSED,
            ~is_outsorted(account.c.period, account.c.account_key),
        )
        for row in self.books.execute(query.order_by(account.c.account_key)):
            key, due = row.account_key, row.amount_due + carried.get(row.account_key, ZERO)
            if self._billed.get(key, ends_on) > ends_on:
                continue  # a forgotten older period was closed after a later one
            self._billed[key] = ends_on
            change = due - self._owed.get(key, ZERO)
            self._owed[key] = due
            if change:
                entries = (Entry(_receivable(row.account), change, due), Entry(BILLED, -change))
                yield Transaction(on, f"{period}/{key}", "bill", entries)

    def _carried(self, closed_at: datetime) -> dict[str, Money]:
        """Return by account what moved before a close and stands in no export that was closed."""
        if self.period is not None:
            return {}
        rows = balance_entry.c
        moment = sa.case(
            (_is_ours() & (rows.kind != EntryKind.FEE), rows.happened_at), else_=rows.recorded_at
        )
        closed = sa.select(period_close.c.period).where(period_close.c.closed_at <= closed_at)
        query = (
            sa.select(rows.account_key, sa.func.sum(rows.amount, type_=Cents()).label("amount"))
            .where(rows.counts, moment < sa.literal(closed_at, Moment()))
            .where(sa.or_(rows.in_export_of.is_(None), rows.in_export_of.not_in(closed)))
            .group_by(rows.account_key)
        )
        return {row.account_key: row.amount for row in self.books.execute(query)}

    def _told(self) -> Iterator[tuple[datetime, Iterator[Transaction]]]:
        """Yield what the billing system told between two closes, and what a person wrote for it."""
        if self.period is not None:
            return
        rows = balance_entry.c
        is_late = sa.exists().where(  # the export of a close before it had it already
            period_close.c.period == rows.in_export_of, period_close.c.closed_at <= rows.recorded_at
        )
        query = (
            sa.select(
                rows.recorded_at.label("moment"),
                rows.amount,
                rows.kind,
                rows.key.label("confirmation"),
                sa.func.coalesce(balance_due.c.account, rows.account_key).label("account"),
            )
            .outerjoin(balance_due, balance_due.c.account_key == rows.account_key)
            .where(rows.counts, rows.source != EntrySource.CORRECTION, ~_is_ours(), ~is_late)
            .order_by(rows.recorded_at, rows.key)
        )
        for row in self.books.execute(query):
            yield row.moment, self._move(row, row.moment, f"{row.kind} told", BILLED, row.amount)

    def _corrected(self) -> Iterator[tuple[datetime, Iterator[Transaction]]]:
        """Yield what corrected bills changed; those of a close that was taken back are gone too."""
        rows = correction.c
        query = (
            sa.select(correction)
            .where(rows.undone.is_(None), rows.entry_key.is_not(None), self._is_of(rows.period))
            .order_by(rows.corrected_at, rows.period, rows.account_key, rows.number)
        )
        for row in self.books.execute(query):
            yield row.corrected_at, self._correct(row)

    def _correct(self, row: Any) -> Iterator[Transaction]:
        change = row.amount_due - row.amount_before
        owed = self._owed.get(row.account_key, ZERO) + change
        self._owed[row.account_key] = owed
        entries = (Entry(_receivable(row.account), change, owed), Entry(BILLED, -change))
        yield Transaction(self._day(row.corrected_at), row.entry_key, "corrected bill", entries)

    def _taken(self) -> Iterator[tuple[datetime, Iterator[Transaction]]]:
        """Yield what each line of a payment paid: its account, or something else (rule 191)."""
        rows = balance_entry.c
        is_ours = sa.and_(rows.kind == EntryKind.PAYMENT, rows.counts)
        is_other = sa.and_(rows.kind == EntryKind.OTHER, rows.amount < sa.literal(ZERO, Cents()))
        for row in self._of_payments(balance_entry, rows.happened_at, sa.or_(is_ours, is_other)):
            yield row.moment, self._move(row, row.moment, "payment", CLEARING, row.amount)

    def _service_fees(self) -> Iterator[tuple[datetime, Iterator[Transaction]]]:
        """Yield what paying by hand cost: the gateway takes and gives it back with the payment."""
        moment, was = balance_entry.c.happened_at, balance_entry.c.kind
        for row in self._of_payments(balance_entry, moment, was == EntryKind.SERVICE_FEE):
            entries = (Entry(CLEARING, -row.amount), Entry(SERVICE_FEES, row.amount))
            made = Transaction(
                self._day(row.moment), row.confirmation or "", "service fee", entries
            )
            yield row.moment, iter([made])

    def _returned(self) -> Iterator[tuple[datetime, Iterator[Transaction]]]:
        moment, was = balance_entry.c.happened_at, balance_entry.c.kind
        other = sa.and_(was == EntryKind.OTHER, balance_entry.c.amount > sa.literal(ZERO, Cents()))
        gone = sa.or_(sa.and_(was.in_(_BACK_AND_FORTH), balance_entry.c.counts), other)
        for row in self._of_payments(balance_entry, moment, gone):
            what = _NAMES.get(row.kind, "return")
            yield row.moment, self._move(row, row.moment, what, CLEARING, row.amount)

    def _fees(self) -> Iterator[tuple[datetime, Iterator[Transaction]]]:
        moment = posting.c.created_at
        for row in self._of_payments(posting, moment, posting.c.kind == PostingKind.FEE):
            yield row.moment, self._move(row, row.moment, "return fee", RETURN_FEES, row.amount)

    def _drawn_twice(self) -> Iterator[tuple[datetime, Iterator[Transaction]]]:
        for row in self._of_payments(draw, draw.c.created_at, draw.c.code == TWICE):
            entries = (Entry(CLEARING, row.amount), Entry(DRAWN_TWICE, -row.amount))
            made = Transaction(self._day(row.moment), row.reference or "", "second draw", entries)
            yield row.moment, iter([made])

    def _paid_out(self) -> Iterator[tuple[datetime, Iterator[Transaction]]]:
        items, whole = settlement_item.c, settlement.c
        query = (
            sa.select(
                whole.settlement_id,
                whole.pays_out_on,
                sa.func.sum(items.amount, type_=items.amount.type).label("gross"),
                sa.func.sum(items.fee, type_=items.fee.type).label("fees"),
            )
            .join(settlement_item, items.settlement_id == whole.settlement_id)
            .group_by(whole.settlement_id, whole.pays_out_on)
            .order_by(whole.pays_out_on, whole.settlement_id)
        )
        if self.period:
            of_period = (
                sa.select(draw.c.key)
                .join(gateway_payment, gateway_payment.c.key == draw.c.payment_key)
                .where(gateway_payment.c.period == self.period)
            )
            query = query.where(items.draw_key.in_(of_period))
        for row in self.books.execute(query):
            moment = datetime.combine(row.pays_out_on, time(23, 59), self.zone)
            yield moment, iter([_payout(row)])

    def _of_payments(
        self, table: sa.Table, moment: sa.Column[datetime], *conditions: sa.ColumnElement[bool]
    ) -> Iterator[Any]:
        payments = gateway_payment.c
        query = (
            sa.select(
                table,
                moment.label("moment"),
                _account_of(table),
                payments.account_key.label("paid_key"),
                payments.confirmation,
            )
            .join(gateway_payment, payments.key == table.c.payment_key)
            .outerjoin(checkout, checkout.c.payment_key == payments.key)
            .outerjoin(
                checkout_line,
                sa.and_(
                    checkout_line.c.checkout == checkout.c.key,
                    checkout_line.c.number == _line_of(table),
                    checkout_line.c.account_key != "",
                ),
            )
            .where(self._is_of(payments.period), *conditions)
            .order_by(moment, payments.key)
        )
        yield from self.books.execute(query)

    def _move(
        self, row: Any, moment: datetime, what: str, other: str, owed: Money
    ) -> Iterator[Transaction]:
        """Let an account owe more, or below zero less, against another one."""
        if row.account.startswith(OTHER):
            entries: tuple[Entry, ...] = (Entry(OTHER_REVENUE, owed), Entry(other, -owed))
            yield Transaction(self._day(moment), row.confirmation or "", what, entries)
            return
        key = account_key(row.account)
        balance = self._owed.get(key, ZERO) + owed
        self._owed[key] = balance
        entries = (Entry(_receivable(row.account), owed, balance), Entry(other, -owed))
        yield Transaction(self._day(moment), row.confirmation or "", what, entries)

    def _is_of(self, period: sa.Column[str]) -> sa.ColumnElement[bool]:
        return sa.true() if self.period is None else period == self.period

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def _is_ours() -> sa.ColumnElement[bool]:
    """Claim of an entry that it is of a payment through us, or of what became of one."""
    rows = balance_entry.c
    kinds = (*MONEY_KINDS, EntryKind.FEE)
    return sa.and_(rows.payment_key.is_not(None), rows.kind.in_(kinds))


def _line_of(table: sa.Table) -> Any:
    return table.c.line if "line" in table.c else sa.literal(1)


def _account_of(table: sa.Table) -> sa.ColumnElement[str]:
    """Give the account that a row is of: of its line, where a payment pays several."""
    own: sa.ColumnElement[str] = gateway_payment.c.account
    if table is balance_entry:
        key = balance_entry.c.account_key
        own = sa.case((key.startswith(OTHER), key), else_=own)
    return sa.func.coalesce(checkout_line.c.account, own).label("account")


def _receivable(number: str) -> str:
    """Name a customer's account; a colon or two blanks would mean something else in a journal."""
    return f"{RECEIVABLE}:{' '.join(number.replace(':', '-').replace(';', '-').split())}"


def _payout(row: Any) -> Transaction:
    entries = [Entry(BANK, row.gross - row.fees), Entry(CLEARING, -row.gross)]
    if row.fees:
        entries.insert(1, Entry(GATEWAY_FEES, row.fees))
    return Transaction(row.pays_out_on, row.settlement_id, "payout", tuple(entries))


HEAD = "commodity $1,000.00\n"


def write_hledger(transactions: Iterable[Transaction]) -> Iterator[str]:
    """
    Yield the journal piece by piece, with every account declared before it is used.

    `hledger check --strict` holds it to that, to the balance of each transaction, and to what an
    account must hold after it.
    """
    yield HEAD
    declared = set(ACCOUNTS)
    yield from (f"account {name}\n" for name in ACCOUNTS)
    for one in transactions:
        for entry in one.entries:
            if entry.account not in declared:
                declared.add(entry.account)
                yield f"account {entry.account}\n"
        yield _write(one)


def _write(one: Transaction) -> str:
    code = one.code.replace("(", "").replace(")", "")
    lines = [f"\n{one.on.isoformat()} ({code}) {one.what}\n"]
    for entry in one.entries:
        held = "" if entry.balance is None else f" = ${entry.balance}"
        lines.append(f"    {entry.account}  ${entry.amount}{held}\n")
    return "".join(lines)
