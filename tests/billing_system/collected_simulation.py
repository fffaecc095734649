"""
The same half year with the office's own collector, gateway and cash receipting.

What is drawn, returned and posted is done by the collector itself, in processes that die at any
boundary, at a gateway whose answers are lost and late. The oracle knows what the gateway took and
what cash receipting booked from their own books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from cash_receipting.ledger import LedgerReceipting
from cash_receipting.posting import post_due
from database.books import Database
from database.ledger.tables import balance_entry
from database.tables import period_close
from domain.ledger import EntrySource
from domain.money import Money
from domain.payments import Mandate, MethodKind
from payments.collecting.collecting import collect_due
from payments.collecting.unanswered import look_up_due
from payments.outcomes.events import take_in_events
from payments.port import LateEventKind
from payments.sandbox.behavior import GatewayFault, SeededFaults
from payments.sandbox.gateway import SandboxGateway
from payments.scheduling.scheduling import schedule_autopay
from payments.terms import CollectionTerms
from rules.calendars import bank_closed_days
from rules.money.autopay import AutopayPolicy
from tests.billing_system.ledger_simulation import DAY, Customer, Move, Simulation
from tests.billing_system.ledger_town import DENVER
from tests.builders import a_mandate
from tests.payments.simulated_faults import (
    Crash,
    FaultyReceipting,
    Mortal,
    MortalBooks,
    Process,
    Weather,
)
from tests.payments.simulated_truth import Entry, gateway_rows, ledger_entries
from tests.payments.simulation import let_people_decide

CLOSED = bank_closed_days()
TERMS = CollectionTerms(closed=CLOSED, threads=1, batch=12, who="anna")
TOKENS = (
    "tok_ok", "tok_ach_ok", "tok_lost_response", "tok_arrives_late_9000s", "tok_ach_R01_d3",
    "tok_insufficient_funds",
)  # fmt: skip
BACK = (LateEventKind.REFUNDED, LateEventKind.CHARGED_BACK)


@dataclass
class CollectedSimulation(Simulation):
    """One seed's half year in which the collector moves the money; `place` has the other books."""

    place: Path = field(default_factory=Path)
    crash: float = 0.01
    fault: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        self.now = datetime.min
        rates = dict.fromkeys(GatewayFault, self.fault)
        delays = (timedelta(minutes=5), timedelta(hours=2))
        faults = SeededFaults(self.chance, rates, delays=delays)
        self.weather = Weather(self.chance, self.crash, faults, 0.0)
        self.gateway_file = self.place / "gateway.db"
        self.gateway = SandboxGateway(self.gateway_file, self.clock, CLOSED, self.weather)
        self.ledger = LedgerReceipting(self.place / "ledger.db")
        self.receipting = FaultyReceipting(self.ledger, self.weather, self.clock)
        self.ledger.check_health()
        self.gateway.set_clock(None)  # makes its books
        self.heard: dict[str, Move] = {}
        self.booked: set[str] = set()
        self.decided = 0  # by a person

    def clock(self) -> datetime:
        return self.now

    def entries(self) -> list[Entry]:
        return ledger_entries(self.place / "ledger.db")

    def close(self) -> None:
        self.gateway.close()
        self.receipting.close()

    # -- what happens, done by the office ---------------------------------------------------------

    def _mandates(self, one: Customer) -> tuple[Mandate, ...]:
        number = int(one.number)
        token = TOKENS[number % len(TOKENS)]
        kind = MethodKind.ACH if "ach" in token else MethodKind.CARD
        days = 8 + number % 8  # the due date lies 20 days after the period
        return (a_mandate(one.number, method_token=token, method_kind=kind, days_prior=days),)

    def _draw(self, now: datetime) -> None:
        self.now = now
        before = self._taken()
        unheard = before - self._known()
        owed = {one.number: self._truth(one, now) - unheard[one.number] for one in self.customers}
        self._live(self._collect)
        self._hear(now)
        for number, cents in (self._taken() - before).items():
            if cents > max(owed[number], 0):
                self.faults.append(f"{now}: drew {cents} of {number}, who owed {owed[number]}")

    def _collect(self, books: Database, process: Process) -> None:
        gateway = Mortal(self.gateway, process)
        look_up_due(books, gateway, TERMS, self.clock)
        collect_due(books, gateway, TERMS, self.clock)
        take_in_events(books, gateway, TERMS, self.clock)

    def _live(self, work: Callable[[Database, Process], None]) -> None:
        """Let one process work until it is done or dies."""
        process = Process(self.weather)
        with suppress(Crash):  # the next one goes on
            work(MortalBooks(self.books, process), process)

    def _go_back(self, now: datetime) -> None:
        """Let banks and the gateway's desk give back, wholly and in part."""
        self.now = now
        for row in gateway_rows(self.gateway_file, LEFT):
            if self.chance.random() < 0.03 and row["left"] > 0:
                cents = row["left"] if self.chance.random() < 0.5 else max(row["left"] // 3, 1)
                kind = self.chance.choice(BACK)
                self.gateway.act_at_desk(f"SB{row['id']:08d}", kind, Money(cents), "fraudulent")

    def _post(self, now: datetime) -> None:
        self.now = now
        if now < self.down_until or not self.heard.keys() - self.booked:
            return
        if self.chance.random() < 0.02:
            self.down_until = now + 2 * DAY
        self._live(self._enter)
        self._hear(now)

    def _enter(self, books: Database, process: Process) -> None:
        receipting = Mortal(self.receipting, process)
        chance = self.chance.random
        post_due(books, receipting, self.clock, forced=True, threads=1, chance=chance)

    def _close(self, cycle: str) -> None:
        period = self.period[cycle]
        self.now = period.closed_at

        def publish(books: Database, _process: Process) -> None:
            self.town.books = books
            self.town.close(period.name, period.closed_at)

        while not self._is_closed(period.name):
            self._live(publish)
        self.town.books = self.books
        self.period.pop(cycle)
        for one in self._of_cycle(cycle):
            one.base, one.due = period, self.billed[period.name, one.number]
        schedule_autopay(
            self.books, period.name, now=self.now, today=self.now.astimezone(DENVER).date(),
            closed=CLOSED, policy=AutopayPolicy(),
        )  # fmt: skip

    def _is_closed(self, period: str) -> bool:
        row = period_close.c.period
        with self.books.reading() as books:
            return books.scalar(sa.select(row).where(row == period)) is not None

    # -- what came of it --------------------------------------------------------------------------

    def _hear(self, now: datetime) -> None:
        """Note what the books have heard of the gateway, and what cash receipting has booked."""
        rows = balance_entry.c
        query = sa.select(balance_entry).where(rows.source == EntrySource.DRAW, rows.counts)
        with self.books.reading() as books:
            for row in books.execute(query.order_by(rows.recorded_at, rows.key)):
                if row.key not in self.heard:
                    move = Move(
                        row.key, row.account_key, row.amount.cents, row.happened_at, told_at=now,
                        reference=row.reference, parts=(row.amount.cents,),
                    )  # fmt: skip
                    self.heard[row.key] = move
                    self.moves.append(move)
        for entry in self.entries():
            key = entry.key.partition("/")[2]
            if key not in self.booked and key in self.heard:
                self.booked.add(key)
                move = self.heard[key]
                move.booked_at = now
                self._customer(move.account).owed += move.cents
                self._book(key, move, now)

    def _book(self, key: str, move: Move, now: datetime) -> None:
        """Let the billing system book what cash receipting has entered, besides its balance."""

    def _taken(self) -> Counter[str]:
        """What the gateway took or was asked for, by account: read from its own books."""
        rows = gateway_rows(self.gateway_file, _TAKEN)
        return Counter({row["account"]: row["cents"] for row in rows})

    def _known(self) -> Counter[str]:
        """What of it the books have heard."""
        known = Counter[str]()
        for key, move in self.heard.items():
            if key.startswith("taken/"):
                known[move.account] -= move.cents
        return known

    def _ask(self, now: datetime) -> None:
        self.now = now
        if now.astimezone(DENVER).day % 5 == 0:
            let_people_decide(self)
        super()._ask(now)

    def chain(self) -> tuple[int, int]:
        """What the gateway holds, and what the ledger says that it holds (both in cents)."""
        held = sum(row["left"] for row in gateway_rows(self.gateway_file, LEFT))
        return held, -sum(move.cents for move in self.heard.values())

    def settle(self) -> list[str]:
        """Let calm days come, until everything has been heard and booked; say what is wrong."""
        self.weather.is_calm = True
        last = self.now
        for number in range(1, 12):
            at = last + number * DAY
            self.down_until = at
            self._draw(at)
            self._post(at + timedelta(hours=1))
            self._ask(at + timedelta(hours=2))
        return self.faults


# A request on its way counts from when it was asked: what was paid meanwhile it cannot know.
_TAKEN = """SELECT account, SUM(cents) AS cents FROM draw
    WHERE state = 'approved' OR id IN (SELECT draw FROM on_its_way) GROUP BY account"""
LEFT = """
    SELECT d.id, d.account, d.cents + COALESCE((SELECT SUM(CASE
        WHEN e.kind IN ('returned', 'charged-back', 'refunded') THEN -e.cents
        WHEN e.kind IN ('reinstated', 'refund-failed') THEN e.cents ELSE 0 END)
        FROM event e WHERE e.draw = d.id), 0) AS left
    FROM draw d WHERE d.state = 'approved' ORDER BY d.id"""  # what the gateway keeps of each draw
