"""
Half a year of two cycles against an oracle: what the books say is owed, and what is.

The oracle is the billing system with its own cents and moments; it never looks into the books.
Cash receipting is down for days, payments are split over services, the feed loses, doubles and
delays its files, money goes back wholly and in part, movements are deleted in silence.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.ledger.entries import find_wrong_sums
from database.ledger.tables import balance_entry
from database.queries.balances import open_balance
from database.tables import balance_due, posting
from domain.money import Money
from domain.payments import Mandate, PostingState
from reporting.documents.journal import RECEIVABLE, Journal
from tests.billing_system.ledger_town import DENVER, Town
from tests.builders import a_household
from tests.release import so_many

DAYS, PERIODS = 16, so_many(4, release=6)
FIRST = date(2026, 7, 1)
AGREED = Money(45_00)


@dataclass
class Move:
    """One movement as it is: what it does, when it happened, when the billing system had it."""

    key: str
    account: str
    cents: int
    at: datetime
    booked_at: datetime | None = None
    told_at: datetime | None = None  # when the books heard of it
    is_ours: bool = True
    reference: str = ""
    parts: tuple[int, ...] = ()
    is_deleted: bool = False


@dataclass
class Customer:
    number: str
    cycle: str
    is_agreed: bool
    owed: int = 0  # what the billing system says now
    base: Period | None = None
    due: int = 0


@dataclass
class Period:
    name: str
    cycle: str
    ends_on: date
    written_at: datetime
    closed_at: datetime


@dataclass
class Simulation:
    """One seed's half year, up to the first evening on which something is wrong in the books."""

    books: Database
    seed: int
    has_feed: bool = True
    accounts: int = 6
    days: int = DAYS  # of a period
    periods: int = PERIODS  # of each cycle
    faults: list[str] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.town = Town(self.books)
        self.customers = [
            Customer(str(n), "AB"[n % 2], n % 5 == 4) for n in range(1, self.accounts + 1)
        ]
        self.unwritten: list[Move] = []
        self.files: list[tuple[datetime, datetime, list[Move]]] = []  # due, written, movements
        self.pending: list[tuple[datetime, Move]] = []
        self.down_until = at(FIRST, 0)
        self.exported: set[str] = set()
        self.period: dict[str, Period] = {}
        self.billed: dict[tuple[str, str], int] = {}

    def run(self) -> list[str]:
        for number in range(self.days * self.periods + self.days):
            day = FIRST + timedelta(days=number)
            for hour, work in self._day(day, number):
                self._post(at(day, hour))
                self._tell(at(day, hour))
                work(at(day, hour))
            self._ask(at(day, 23))
            if self.faults:
                break
        return self.faults

    def _day(self, day: date, number: int) -> Iterator[tuple[int, object]]:
        yield 7, self._draw
        for cycle in self._closing(number):
            yield 9, lambda _now, cycle=cycle: self._close(cycle)
        yield 10, self._counter
        yield 12, self._go_back
        yield 15, lambda now: None
        for cycle in self._exporting(number):
            yield 17, lambda now, cycle=cycle: self._export(cycle, now)
        yield 18, self._draw
        yield 19, self._write_file
        yield 20, self._go_back

    def _exporting(self, number: int) -> list[str]:
        """Whose period ends on a day: B's half a period after A's."""
        return [
            cycle
            for cycle, shift in (("A", 0), ("B", self.days // 2))
            if number >= shift
            and (number - shift) % self.days == 0
            and number // self.days < self.periods
        ]

    def _closing(self, number: int) -> list[str]:
        return [one for one in self._exporting(number - 1) if one in self.period]

    def hows(self) -> set[str]:
        """By what entries were found in exports."""
        with self.books.reading() as books:
            query = sa.select(balance_entry.c.how).where(balance_entry.c.how.is_not(None))
            return {str(how) for how in books.scalars(query.distinct())}

    # -- what happens -----------------------------------------------------------------------------

    def _draw(self, now: datetime) -> None:
        for one in self.customers:
            owed = self._open(one)
            if one.base is None or owed <= 0 or self.chance.random() > 0.12:
                continue
            cents = owed if self.chance.random() < 0.6 else self.chance.randint(1, owed)
            if cents > max(self._truth(one, now), 0):
                self.faults.append(f"{now}: drew {cents} of {one.number}, more than is owed")
            self._move_money(one, -cents, now, None)

    def _go_back(self, now: datetime) -> None:
        taken = [m for m in self.moves if m.is_ours and m.cents < 0 and m.at > now - 9 * DAY]
        for move in taken:
            if self.chance.random() < 0.04:
                cents = -move.cents if self.chance.random() < 0.6 else -move.cents // 3 or 1
                back = sum(m.cents for m in self.moves if m.key.startswith(f"back/{move.key}"))
                if back + cents <= -move.cents:
                    self._move_money(self._customer(move.account), cents, now, move)

    def _move_money(self, one: Customer, cents: int, now: datetime, of: Move | None) -> None:
        reference = of.reference if of else f"SB{len(self.moves):06d}"
        amount = str(Money(abs(cents)))
        if of is None:
            key = self.town.draw(amount, now, account=one.number, reference=reference)
        else:
            key = f"back/{of.key}/{len(self.moves)}"
            payment = of.key
            self.town.back(payment, amount, now, reference=reference, account=one.number)
        move = Move(key, one.number, cents, now, told_at=now, reference=reference)
        half = cents // 2
        move.parts = (half, cents - half) if self.chance.random() < 0.2 and half else (cents,)
        self.moves.append(move)
        self.pending.append((now + timedelta(minutes=5), move))
        if self.chance.random() < 0.03:
            self.down_until = now + 2 * DAY

    def _post(self, now: datetime) -> None:
        """Cash receipting is asked, unless it is down; the billing system books at once."""
        for due, move in list(self.pending):
            when = max(due, self.down_until)
            if when <= now:
                self.pending.remove((due, move))
                move.booked_at = when
                self._customer(move.account).owed += move.cents
                entry = posting.c.entry_key
                mine = f"taken/{move.key}/1" if move.cents < 0 else None
                self._mark_posted(mine, move, when, entry)

    def _mark_posted(self, key: str | None, move: Move, when: datetime, entry: object) -> None:
        with self.books.writing() as books:
            found = sa.select(posting.c.key).where(posting.c.state == PostingState.PENDING)
            if key is not None:
                found = found.where(posting.c.entry_key == key)
            else:
                payment = move.key.removeprefix("back/").rpartition("/")[0]
                found = found.where(
                    posting.c.payment_key == payment,
                    posting.c.kind == "reversal",
                    posting.c.amount == Money(move.cents),
                )
            first = books.scalar(found.order_by(posting.c.created_at, posting.c.key).limit(1))
            books.execute(
                posting.update()
                .where(posting.c.key == first)
                .values(
                    state=PostingState.POSTED, asked_at=when, first_asked_at=when, posted_at=when,
                    receipt=f"R{first}",
                )
            )  # fmt: skip

    def _counter(self, now: datetime) -> None:
        for one in self.customers:
            chance = self.chance.random()
            if chance < 0.1:
                self._theirs(one, -self.chance.randint(1, 40_00), now)
            elif chance < 0.14:
                self._theirs(one, self.chance.randint(1, 9_00), now)
        known = [
            m
            for m in self.moves
            if not (m.is_ours or m.is_deleted or m.told_at is None or m.key in self.exported)
        ]
        if known and self.chance.random() < 0.03:
            move = self.chance.choice(known)
            one = self._customer(move.account)
            move.is_deleted = True  # in silence: the export's closing balance alone says it
            one.owed -= move.cents

    def _theirs(self, one: Customer, cents: int, now: datetime) -> None:
        move = Move(f"m{len(self.moves)}", one.number, cents, now, now, None, False)
        one.owed += cents
        self.moves.append(move)
        self.unwritten.append(move)

    def _write_file(self, now: datetime) -> None:
        movements, self.unwritten = self.unwritten, []
        chance = self.chance.random()
        if not self.has_feed or chance < 0.08:
            return  # lost for good
        late = timedelta(days=self.chance.randint(1, 3)) if chance < 0.5 else timedelta(0)
        self.files.append((now + late + timedelta(minutes=30), now, movements))
        if chance > 0.9:
            self.files.append((now + timedelta(days=1), now, movements))  # and once more

    def _tell(self, now: datetime) -> None:
        for due, written_at, movements in list(self.files):
            if due <= now:
                self.files.remove((due, written_at, movements))
                for move in movements:
                    move.told_at = move.told_at or now
                    self.town.told(
                        move.key, str(Money(move.cents)), move.at.astimezone(DENVER).date(),
                        written_at, now=now, account=move.account,
                    )  # fmt: skip

    # -- the close --------------------------------------------------------------------------------

    def _export(self, cycle: str, now: datetime) -> None:
        day = now.astimezone(DENVER).date()
        closing = at(day + timedelta(days=1), 9)
        period = Period(f"{day}-{cycle}", cycle, day, now, closing)
        self.period[cycle] = period
        households, lines = [], list[tuple[date, str, str, str]]()
        for one in self._of_cycle(cycle):
            one.owed += self.chance.randint(20_00, 120_00)
            closing = Money(one.owed)
            households.append(
                a_household(
                    one.number,
                    mandates=self._mandates(one),
                    closing_balance=closing,
                    **self._facts(one),
                )
            )
            lines += self._lines(one, now)
            self.billed[period.name, one.number] = AGREED.cents if one.is_agreed else one.owed
        starts_on = day - timedelta(days=self.days - 1)
        self.town.stage(
            period.name, households, tuple(lines), now, ends_on=day, starts_on=starts_on
        )

    def _mandates(self, _one: Customer) -> tuple[Mandate, ...]:
        return ()  # the draws are made up

    def _facts(self, one: Customer) -> dict[str, Any]:
        """What the billing system says of an account beside its balance."""
        return {"equal_pay_amount": AGREED} if one.is_agreed else {}

    def _of_cycle(self, cycle: str) -> list[Customer]:
        return [one for one in self.customers if one.cycle == cycle]

    def _lines(self, one: Customer, now: datetime) -> list[tuple[date, str, str, str]]:
        found = list[tuple[int, tuple[date, str, str]]]()
        for move in self.moves:
            is_there = move.booked_at is not None and move.booked_at <= now
            if move.account == one.number and is_there and move.key not in self.exported:
                self.exported.add(move.key)
                if not move.is_deleted:
                    booked = move.booked_at if move.is_ours and move.booked_at else move.at
                    where = (booked.astimezone(DENVER).date(), move.reference, one.number)
                    found += [(part, where) for part in move.parts or (move.cents,)]
        return [(day, str(Money(c)), named, of) for c, (day, named, of) in found]

    def _close(self, cycle: str) -> None:
        period = self.period.pop(cycle)
        self.town.close(period.name, period.closed_at)
        self.town.payments_of = period.name
        for one in self._of_cycle(cycle):
            one.base, one.due = period, self.billed[period.name, one.number]

    # -- the oracle -------------------------------------------------------------------------------

    def _truth(self, one: Customer, now: datetime) -> int:
        """What is owed of what the office can know: the newest bill and what moved after it."""
        if one.base is None:
            return sum(m.cents for m in self.moves if m.account == one.number and m.told_at)
        moved = (m for m in self.moves if m.account == one.number and m.told_at is not None)
        return one.due + sum(m.cents for m in moved if self._is_after(m, one, one.base))

    def _is_after(self, move: Move, one: Customer, base: Period) -> bool:
        if one.is_agreed:
            return move.at >= base.closed_at
        return move.booked_at is None or move.booked_at > base.written_at

    def _ask(self, now: datetime) -> None:
        for one in self.customers:
            self.asked += 1
            owed, truth = self._open(one), self._truth(one, now)
            if owed != truth:
                self.faults.append(f"{now}: {one.number} owes {owed} in the books, {truth} in fact")
        with self.books.reading() as books:
            self.faults += [f"{now}: sums of {key}" for key in find_wrong_sums(books)]

    def _open(self, one: Customer) -> int:
        mine = balance_due.c.account_key == one.number
        with self.books.reading() as books:
            found = books.scalar(sa.select(open_balance()).where(mine))
        return found.cents if found else 0

    def _customer(self, number: str) -> Customer:
        return next(one for one in self.customers if one.number == number)


DAY = timedelta(days=1)


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=DENVER)


def standing(database: Database) -> dict[str, int]:
    """Return by account what is open, in cents, as the balances say it."""
    with database.reading() as books:
        rows = books.execute(sa.select(balance_due))
        return {one.account: (one.amount_due + one.added - one.paid).cents for one in rows}


def by_the_journal(database: Database) -> dict[str, int]:
    """Return by account what it owes at the end of the journal, in cents."""
    owed = Counter[str]()
    with database.reading() as books:
        for one in Journal(books, DENVER).transactions():
            for entry in one.entries:
                if entry.account.startswith(RECEIVABLE):
                    number = entry.account.rpartition(":")[2]
                    owed[number] += entry.amount.cents
                    assert entry.balance is not None and entry.balance.cents == owed[number]
    return dict(owed)
