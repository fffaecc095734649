"""A town of a few accounts for the ledger's cases: closes, draws, a feed, and what is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from billing_system.closing import publish
from database.books import Database, insert_rows
from database.ledger.entries import outstanding_sums, record_entries
from database.ledger.tables import balance_entry
from database.postings import queue_posting
from database.queries.balances import open_balance
from database.tables import balance_due, bill_run, gateway_payment, movement, posting
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.movements import MovementKind
from domain.payments import MethodKind, PaymentState, PostingKind, PostingState
from domain.runs import RunState
from tests.builders import a_household, stage_run

DENVER = ZoneInfo("America/Denver")
OCTOBER, NOVEMBER, DECEMBER = "2026-10", "2026-11", "2026-12"
ENDS = {
    OCTOBER: date(2026, 10, 31), NOVEMBER: date(2026, 11, 30), DECEMBER: date(2026, 12, 31),
}  # fmt: skip
KINDS = {"return": EntryKind.RETURN, "refund": EntryKind.REFUND, "fee": EntryKind.FEE}


def local(month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=DENVER).astimezone(UTC)


W = local(11, 30, 17)  # when November's export was written
CLOSING = local(12, 1, 9)


@dataclass
class Town:
    """Books in which October is closed: account 1 owes 100.00 by November 20."""

    books: Database
    number: int = 0
    payments_of: str = OCTOBER  # the closed period whose payments are drawn

    def export(
        self,
        period: str,
        closing: str,
        lines: tuple[tuple[Any, ...], ...] = (),
        *,
        written_at: datetime | None = W,
        accounts: tuple[str, ...] = ("1",),
        **changes: Any,
    ) -> None:
        """Stage an export; a line is day, amount, and maybe its reference and its kind."""
        dates = {name: changes.pop(name) for name in ("ends_on",) if name in changes}
        households = [
            a_household(number, mandates=(), closing_balance=Money.parse(closing), **changes)
            for number in accounts
        ]
        ends_on = dates.get("ends_on", ENDS.get(period, ENDS[NOVEMBER]))
        self.stage(period, households, lines, written_at, ends_on=ends_on)

    def stage(
        self,
        period: str,
        households: list[Any],
        lines: tuple[tuple[Any, ...], ...],
        written_at: datetime | None,
        *,
        ends_on: date,
        starts_on: date | None = None,
    ) -> None:
        due_on = ends_on + timedelta(days=20)
        stage_run(self.books, *households, period=period, ends_on=ends_on, due_on=due_on)
        with self.books.writing() as books:
            _enter_lines(books, period, lines)
            if starts_on is not None:
                this = bill_run.update().where(bill_run.c.period == period)
                books.execute(this.values(starts_on=starts_on))
            if written_at is not None:
                known = {"written_at": written_at, "sure_until": written_at}
                this = bill_run.update().where(bill_run.c.period == period)
                books.execute(this.values(not_after=written_at, **known))

    def close(self, period: str, at: datetime = CLOSING) -> None:
        with self.books.writing() as books:
            this = bill_run.update().where(bill_run.c.period == period)
            books.execute(this.values(state=RunState.APPROVED))
        publish(self.books, period, now=at, who="anna")

    def draw(
        self,
        amount: str,
        at: datetime,
        *,
        posted: datetime | None = None,
        account: str = "1",
        reference: str = "SB1",
        receipt: str | None = None,
    ) -> str:
        """Take money by autopay; `posted`: when cash receipting was first asked and answered."""
        self.number += 1
        key = f"autopay/{self.payments_of}/{account}/{self.number}"
        cents = Money.parse(amount)
        with self.books.writing() as books:
            books.execute(
                gateway_payment.insert().values(
                    key=key, period=self.payments_of, account_key=account, account=account,
                    number=self.number, pay_on=at.date(), amount=cents, method_token="tok",
                    method_kind=MethodKind.ACH, last4="1234", immediate=False,
                    state=PaymentState.SUCCEEDED, confirmation=reference, scheduled_at=at,
                    taken_at=at,
                )
            )  # fmt: skip
            entry = _entry(f"taken/{key}/1", account, EntryKind.PAYMENT, -cents, at, reference, key)
            record_entries(books, [entry], now=at, who="anna")
            queue_posting(books, entry, PostingKind.RECEIPT, now=at)
            _post(books, entry.key, posted, receipt)
        return key

    def back(
        self, payment: str, amount: str, at: datetime, *, posted: datetime | None = None,
        kind: str = "return", reference: str = "SB1", account: str = "1",
    ) -> None:  # fmt: skip
        """Let money of a payment go back."""
        self.number += 1
        with self.books.writing() as books:
            key = f"{kind}/{self.number}"
            entry = _entry(key, account, KINDS[kind], Money.parse(amount), at, reference, payment)
            record_entries(books, [entry], now=at, who="anna")
            queue_posting(books, entry, PostingKind.REVERSAL, now=at)
            _post(books, key, posted, None)

    def told(
        self,
        name: str,
        amount: str,
        day: date,
        written_at: datetime,
        *,
        now: datetime | None = None,
        account: str = "1",
        counts: bool = True,
        posted_at: datetime | None = None,
    ) -> None:
        """Let the feed tell of a movement."""
        entry = BalanceEntry(
            key=f"feed/{name}", account_key=account, kind=EntryKind.PAYMENT,
            amount=Money.parse(amount), happened_on=day, happened_at=posted_at,
            source=EntrySource.FEED, counts=counts, told_at=written_at,
        )  # fmt: skip
        with self.books.writing() as books:
            record_entries(books, [entry], now=now or written_at, who="feed")

    def open(self, account: str = "1") -> str:
        """What is open; the sums beside the entries are held to them each time."""
        with self.books.reading() as books:
            mine = balance_due.c.account_key == account
            row = books.execute(
                sa.select(balance_due, open_balance().label("open")).where(mine)
            ).one()
            sums = books.execute(
                outstanding_sums(balance_entry.c.account_key == account)
            ).one_or_none()
        entries = (ZERO, ZERO) if sums is None else (sums.added, sums.paid)
        assert entries == (row.added, row.paid)
        return str(row.open)

    def how(self) -> dict[str, str | None]:
        """By what each entry was found in an export, None for what is outstanding."""
        with self.books.reading() as books:
            query = sa.select(balance_entry.c.key, balance_entry.c.how)
            return {row.key.split("/")[0]: row.how for row in books.execute(query)}


def a_town(database: Database, due: str = "100.00", **changes: Any) -> Town:
    town = Town(database)
    town.export(OCTOBER, due, written_at=local(10, 31, 17), **changes)
    town.close(OCTOBER, local(11, 2, 9))
    return town


def _entry(
    key: str,
    account: str,
    kind: EntryKind,
    amount: Money,
    at: datetime,
    reference: str,
    payment: str,
) -> BalanceEntry:
    return BalanceEntry(
        key=key, account_key=account, kind=kind, amount=amount,
        happened_on=at.astimezone(DENVER).date(), happened_at=at, source=EntrySource.DRAW,
        reference=reference, payment_key=payment,
    )  # fmt: skip


def _post(books: Any, entry: str, posted: datetime | None, receipt: str | None) -> None:
    if posted is not None:
        books.execute(
            posting.update()
            .where(posting.c.entry_key == entry)
            .values(
                state=PostingState.POSTED, asked_at=posted, first_asked_at=posted,
                posted_at=posted, receipt=receipt or f"R{entry[-8:]}",
            )
        )  # fmt: skip


def _enter_lines(books: Any, period: str, lines: tuple[tuple[Any, ...], ...]) -> None:
    columns = [
        "period", "line", "account_key", "account", "posted_on", "service", "description", "kind",
        "amount", "reference",
    ]  # fmt: skip
    rows = []
    for number, (day, amount, *rest) in enumerate(lines, start=1):
        reference = rest[0] if rest else ""
        account = rest[1] if len(rest) > 1 else "1"
        rows.append(
            (period, number, account, account, day, "Water", "", MovementKind.PAYMENT,
             Money.parse(amount), reference)
        )  # fmt: skip
    insert_rows(books, movement, columns, rows)
