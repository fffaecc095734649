"""A simulated office of sixty bad days: everything fails, the process dies, the clock is seeded."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from cash_receipting.ledger import LedgerReceipting
from cash_receipting.posting import post_due
from cash_receipting.rejected_postings import try_again
from database.books import Database
from database.postings import posting_key
from database.tables import posting
from domain.ledger import taken_key
from domain.money import Money
from domain.payments import MethodKind, PostingKind, PostingState
from payments.collecting.collecting import collect_due
from payments.collecting.draws import Draw
from payments.collecting.unanswered import look_up_due
from payments.outcomes.events import take_in_events
from payments.outcomes.settlements import read_settlements
from payments.outcomes.unknown_payments import (
    Agreed,
    PaymentDecision,
    decide_never_arrived,
    list_doubts,
)
from payments.sandbox.behavior import GatewayFault, SeededFaults
from payments.sandbox.gateway import SandboxGateway
from payments.scheduling.scheduling import schedule_autopay
from payments.terms import CollectionTerms
from rules.calendars import bank_closed_days
from rules.money.autopay import AutopayPolicy
from tests.builders import NOW, RUN, a_household, a_mandate, close_run, stage_run
from tests.payments.simulated_faults import (
    Crash,
    FaultyReceipting,
    Mortal,
    MortalBooks,
    Notebook,
    Process,
    Weather,
)
from tests.payments.simulated_truth import (
    Audit,
    Entry,
    gateway_rows,
    ledger_entries,
    payments_of,
    what_is_written,
)

DUE = date(2026, 12, 18)
STEPS = (60, 400, 900, 3_600, 4 * 3_600, 9 * 3_600, 9 * 3_600, 26 * 3_600)
DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 500, 6_000))
QUICK_STEPS = (60, 200, 400, 600, 900, 26 * 3_600)
RETURN_FEE = Money(25_00)
CLOSED = bank_closed_days()
TOKENS = {  # how many of a hundred customers are of which kind
    "tok_ok": 32, "tok_ach_ok": 20, "tok_lost_response": 6, "tok_arrives_late_90s": 5,
    "tok_arrives_late_9000s": 5, "tok_ok_after_1": 4, "tok_ok_after_2": 4, "tok_500_replayed": 4,
    "tok_insufficient_funds": 5, "tok_do_not_honor": 2,
    "tok_expired_card": 2, "tok_ach_R01_d2": 3, "tok_ach_R01_d{}": 2, "tok_ach_R10_d{}": 2,
    "tok_chargeback_d{}": 2, "tok_ach_noc_C01": 1, "tok_stolen_card": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How many payments, and how often something goes wrong at one boundary or one call."""

    payments: int = 150
    crash: float = 0.012
    fault: float = 0.035  # of each of the four kinds
    outage: float = 0.06  # that cash receipting goes down before a round
    batch: int = 12
    days: int = 60
    due_over: int = 46  # days over which the payments fall due
    good_days: int = 52  # rounds of them, at the end: what came back is drawn again, and comes back
    more_days: int = 20  # at most, for the last payout; a collector that draws for ever has none
    steps: tuple[int, ...] = STEPS  # seconds from round to round, at times twice as many


@dataclass
class World:
    """The office's books, the gateway and cash receipting, and the one clock of all three."""

    place: Path
    seed: int
    size: Size
    books_url: str = ""  # empty: SQLite, in `place`
    now: datetime = NOW
    rounds: int = 0
    decided: int = 0  # by a person
    alarms: list[str] = field(default_factory=list)  # failures that no fault of the world explains

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        rates = dict.fromkeys(GatewayFault, self.size.fault)
        self.weather = Weather(
            self.chance,
            self.size.crash,
            SeededFaults(self.chance, rates, delays=DELAYS),
            self.size.outage,
        )
        self.gateway_file = self.place / "gateway.db"
        self.gateway = SandboxGateway(self.gateway_file, self.clock, CLOSED, self.weather)
        has_keys = self.seed % 2 == 0
        self.counter = LedgerReceipting(self.place / "ledger.db") if has_keys else Notebook()
        self.receipting = FaultyReceipting(self.counter, self.weather, self.clock)
        self.counter.check_health()
        self.books = Database(self.books_url or f"sqlite:///{self.place / 'books.db'}")

    def clock(self) -> datetime:
        return self.now

    @property
    def terms(self) -> CollectionTerms:
        return CollectionTerms(
            closed=CLOSED, return_fee=RETURN_FEE, batch=self.size.batch, threads=1, who="anna"
        )

    def find_faults(self) -> list[str]:
        """Say what is wrong in the end: what no fault explains, then what the books say."""
        return [*self.alarms, *Audit(self.books, self.gateway_file, self.entries()).find_faults()]

    def figures(self) -> dict[str, object]:
        """Say how bad it was, and what came of it."""
        states = Counter(one.state.value for one in payments_of(self.books).values())
        return {
            "payments": self.size.payments,
            "rounds": self.rounds,
            "crashes": self.weather.crashes.total(),
            "faults": self.weather.struck.total(),
            "calls": self.weather.calls.total(),
            "decided by a person": self.decided,
            "states": dict(sorted(states.items())),
        }

    def entries(self) -> list[Entry]:
        if isinstance(self.counter, LedgerReceipting):
            return ledger_entries(self.place / "ledger.db")
        return [
            Entry(one.key, one.account, one.amount.cents, one.confirmation)
            for one in self.counter.entries
        ]

    def close(self) -> None:
        self.books.close()
        self.gateway.close()
        self.receipting.close()


def simulate(place: Path, empty_books: Path, seed: int, size: Size, books_url: str = "") -> World:
    """Live through the bad days, then some good ones, and return what the world looks like."""
    place.mkdir(parents=True)
    shutil.copy(empty_books, place / "books.db")
    world = World(place, seed, size, books_url)
    schedule(world)
    end = NOW + timedelta(days=size.days)
    while world.now < end:
        live_a_round(world)
        world.now += timedelta(seconds=world.chance.choice(size.steps) * world.chance.random() * 2)
    settle_down(world)
    return world


def require_one_life(one: World, other: World) -> None:
    """Claim that two worlds of one seed lived the same days, then close them."""
    assert [] == one.alarms
    assert one.weather.diary == other.weather.diary
    assert what_is_written(one.books) == what_is_written(other.books)
    assert one.chance.getstate() == other.chance.getstate()
    assert one.weather.crashes.total() > 2
    for world in (one, other):
        world.close()


def schedule(world: World) -> None:
    """Close a period in which everybody pays by autopay, on days all over the sixty."""
    chance = world.chance
    kinds, weights = list(TOKENS), list(TOKENS.values())
    households = []
    for number in range(world.size.payments):
        account = f"{number // 9000 + 1:02}.{number % 9000 + 1000}.1"
        token = chance.choices(kinds, weights)[0].format(chance.randrange(3, 30))
        kind = MethodKind.ACH if "ach" in token else MethodKind.CARD
        mandate = a_mandate(
            account,
            method_token=token,
            method_kind=kind,
            days_prior=46 - chance.randrange(world.size.due_over),
        )
        balance = Money(chance.randrange(5_00, 400_00))
        households.append(a_household(account, mandate, balance=str(balance)))
    stage_run(world.books, *households, due_on=DUE)
    close_run(world.books)
    schedule_autopay(
        world.books, RUN, now=NOW, today=NOW.date(), closed=CLOSED, policy=AutopayPolicy()
    )  # fmt: skip


def live_a_round(world: World) -> None:
    """Let one process do what the office's schedule has it do, until it is done or dies."""
    world.rounds += 1
    world.weather.change()
    process = Process(world.weather)
    books = MortalBooks(world.books, process)
    gateway = Mortal(world.gateway, process)
    receipting = Mortal(world.receipting, process)
    try:
        look_up_due(books, gateway, world.terms, world.clock)
        collect_due(books, gateway, world.terms, world.clock)
        take_in_events(books, gateway, world.terms, world.clock)
        read_settlements(books, gateway, world.now, "anna")
        post_due(books, receipting, world.clock, threads=1, chance=world.chance.random)
    except Crash:
        pass  # the next round is another process
    except Exception as failure:
        world.alarms.append(f"{type(failure).__name__}: {failure}")


def settle_down(world: World) -> None:
    """Let good days come, and people look at what waits for a person."""
    world.weather.is_calm = True
    world.weather.is_out = False
    wanted, most = world.size.good_days, world.size.good_days + world.size.more_days
    days = 0
    while days < wanted or (days < most and last_payout(world) >= world.now.date()):
        days += 1
        world.now += timedelta(hours=30)
        let_people_decide(world)
        live_a_round(world)


def last_payout(world: World) -> date:
    """Return the day on which the gateway pays out the last of what it has: then all is known."""
    (row,) = gateway_rows(world.gateway_file, "SELECT max(pays_out_on) AS day FROM movement")
    return date.fromisoformat(row["day"]) if row["day"] else date.min


def let_people_decide(world: World) -> None:
    """Let a clerk go through the payments in doubt and the refused postings."""
    posted = {entry.key for entry in world.entries()}

    def find_receipt(one: Draw) -> str | None:
        key = posting_key(PostingKind.RECEIPT, taken_key(one.key))
        return key if key in posted else None

    for doubt in list_doubts(world.books, world.gateway, find_receipt, world.now):
        if doubt.agreed is Agreed.NEVER_ARRIVED:
            decision = PaymentDecision("anna", "neither side has it", world.now)
            decide_never_arrived(world.books, world.gateway, doubt.draw.key, decision)
            world.decided += 1
    refused = sa.select(posting.c.key).where(posting.c.state == PostingState.REJECTED)
    with world.books.reading() as books:
        keys = list(books.scalars(refused.order_by(posting.c.key)))
    for key in keys:
        try_again(world.books, key, "it works again", now=world.now, who="anna")
        world.decided += 1
