"""
Two cycles with the billing system's feed as it comes: as files in a folder, or by its web service.

Files are lost, late, doubled and out of order; the service is down and sends files cut short. Our
own receipts come back with them, split over services. The oracle knows which files the office was
given whole, and what was truly owed when the newest of them was written.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from billing_system.feed.folder import FolderFeed
from billing_system.feed.rest import RestFeed
from billing_system.feed.sandbox_books import SandboxBillingBooks
from billing_system.feed.sandbox_service import BillingFaults, open_billing_sandbox
from database.books import Database
from database.ledger.tables import balance_entry
from database.tables import posting
from domain.failures import Misuse, OutcomeUnknown, PermanentFailure, Refused, TemporaryFailure
from domain.money import Money
from domain.payments import Mandate, MethodKind, PostingState
from office.procedures.feeding import accept_gap, look_for_feed
from payments.collecting.collecting import collect_due
from payments.collecting.unanswered import look_up_due
from payments.outcomes.events import take_in_events
from payments.outcomes.refunding import refund_payment
from payments.port import LateEventKind
from tests.billing_system.collected_simulation import LEFT, TERMS, TOKENS, CollectedSimulation
from tests.billing_system.ledger_simulation import DAY, Customer, Move
from tests.billing_system.ledger_town import DENVER
from tests.builders import a_mandate
from tests.payments.simulated_faults import Crash, Mortal, MortalBooks, Process
from tests.payments.simulated_truth import gateway_rows
from tests.payments.simulation import let_people_decide

MAX_AGE = timedelta(hours=30)
PATIENCE = 4 * DAY  # then a person accepts that a file never comes
POSTED_WITHIN = 4 * DAY  # of a payment that is told without a number
FOLDER, URL = "feed.folder", "feed.url"
WAYS = (FOLDER, URL)
UNDONE = {
    LateEventKind.CHARGED_BACK: LateEventKind.REINSTATED,
    LateEventKind.REFUNDED: LateEventKind.REFUND_FAILED,
}


@dataclass
class File:
    """A file of the feed as the billing system wrote it, and what became of it on its way."""

    number: int
    written_at: datetime
    moves: list[Move]
    blocks: list[tuple[str, bool]]
    comes_at: datetime | None  # None: lost for good
    is_doubled: bool = False
    ours: list[Move] = field(default_factory=list)  # with the key of their posting's entry
    is_there: bool = False  # the office can have it
    is_told: bool = False
    is_accepted: bool = False  # that it never comes


@dataclass
class FeedOffice:
    """What of an office a look at the feed needs."""

    database: Database
    feed_source: Any
    now: datetime
    who: str = "anna"

    def due_now(self) -> datetime:
        return self.now


@dataclass
class FedSimulation(CollectedSimulation):
    """One seed's months in which the office hears of its customers by the feed alone."""

    way: str = FOLDER
    days: int = 10
    dies_refunding: float = 1.0  # how much likelier than elsewhere: refunds are few
    looks: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.inbox = self.place / "inbox"
        self.inbox.mkdir()
        self.written: list[File] = []
        self.known_blocks: dict[str, list[tuple[datetime, bool]]] = {}
        self.blocked: set[str] = set()  # by the billing system
        self.unwritten_ours: list[Move] = []
        self.doubted: list[Move] = []  # ours, told under a number that nobody here knew yet
        self.unwritten_blocks: list[tuple[str, bool]] = []
        self.refunds: dict[str, Money] = {}  # asked for by the office, by confirmation
        self.exported_of = Counter[str]()  # of ours, in all exports
        self.server = None
        if self.way == URL:
            self.server = open_billing_sandbox(self.place / "billing.db", self.clock)
            self.billing = self.server.books
            self.serving = threading.Thread(
                target=self.server.serve_forever, args=(0.01,), daemon=True
            )
            self.serving.start()
            self.source: Any = RestFeed(self.server.url, SecretStr(""), seconds=10.0)
        else:
            self.billing = SandboxBillingBooks(self.place / "billing.db")
            self.source = FolderFeed(self.inbox)

    def close(self) -> None:
        super().close()
        self.source.close()
        if self.server is None:
            self.billing.close()
            return
        self.server.shutdown()
        self.serving.join()
        self.server.server_close()

    def _day(self, day: date, number: int) -> Iterator[tuple[int, object]]:
        closing = self._closing(number)
        if closing:
            yield 7, self._draw
        for cycle in closing:
            yield 9, lambda _now, cycle=cycle: self._close(cycle)
        yield 10, self._counter
        yield 12, self._go_back
        for cycle in self._exporting(number):
            yield 17, lambda now, cycle=cycle: self._export(cycle, now)
        yield 18, self._draw
        yield 19, self._write_file
        yield 20, self._give_back

    # -- what happens -----------------------------------------------------------------------------

    def _mandates(self, one: Customer) -> tuple[Mandate, ...]:
        """Draw from the evening on which the next export is written to two days after the close."""
        number = int(one.number)
        token = TOKENS[number % len(TOKENS)]
        kind = MethodKind.ACH if "ach" in token else MethodKind.CARD
        before = 20 - self.days + 2 * (number % (self.days // 2))
        return (a_mandate(one.number, method_token=token, method_kind=kind, days_prior=before),)

    def _collect(self, books: Database, process: Process) -> None:
        gateway = Mortal(self.gateway, process)
        terms = replace(TERMS, feed_max_age=MAX_AGE)
        look_up_due(books, gateway, terms, self.clock)
        collect_due(books, gateway, terms, self.clock)
        take_in_events(books, gateway, terms, self.clock)

    def _draw(self, now: datetime) -> None:
        """Draw; hold it to what was owed when the newest file was written, told or not."""
        taken, unheard = self._taken(), self._taken() - self._known()
        owed = {one.number: self._owed_at_reading(one) for one in self.customers}
        super()._draw(now)
        for number, cents in (self._taken() - taken).items():
            if cents > max(owed[number] - unheard[number], 0):
                self.faults.append(f"{now}: drew {cents} of {number}, who owed {owed[number]}")
            if self._is_known_blocked(number):
                self.faults.append(f"{now}: drew {cents} of {number}, who is blocked")

    def _owed_at_reading(self, one: Customer) -> int:
        if one.base is None:
            return 0
        read_at = max((file.written_at for file in self.written if file.is_told), default=None)
        unknown = {move.key for file in self.written if file.is_accepted for move in file.moves}
        known = (
            move
            for move in self.moves
            if move.account == one.number
            and move.key not in unknown
            and (move.told_at is not None or (read_at is not None and move.at <= read_at))
        )
        return one.due + sum(move.cents for move in known if self._is_after(move, one, one.base))

    def _go_back(self, now: datetime) -> None:
        super()._go_back(now)
        for row in gateway_rows(self.gateway_file, _UNDOABLE):
            if row["left"] > 0 and self.chance.random() < 0.04:
                kind = UNDONE[LateEventKind(row["kind"])]
                reference = f"SB{row['draw']:08d}"
                self.gateway.act_at_desk(reference, kind, Money(row["left"]))

    def _give_back(self, now: datetime) -> None:
        """Refund by the office: asked again under its key until it is known what became of it."""
        self.now = now
        for row in gateway_rows(self.gateway_file, LEFT):
            named = f"SB{row['id']:08d}"
            if row["left"] > 1 and named not in self.refunds and self.chance.random() < 0.012:
                self.refunds[named] = Money(row["left"] // 2)
        usual = self.weather.crash
        self.weather.crash *= self.dies_refunding
        for named, amount in list(self.refunds.items()):
            self._live(lambda books, process, n=named, a=amount: self._refund(books, process, n, a))
        self.weather.crash = usual
        self._hear(now)

    def _refund(self, books: Database, process: Process, named: str, amount: Money) -> None:
        gateway = Mortal(self.gateway, process)
        try:
            refund_payment(books, gateway, named, amount, "asked", self.now, TERMS)
        except (TemporaryFailure, OutcomeUnknown, Misuse):  # we may not know of it yet
            return  # asked again tomorrow
        except (Refused, PermanentFailure):
            pass  # more went back meanwhile
        self.refunds.pop(named, None)

    # -- what the billing system books and writes -------------------------------------------------

    def _theirs(self, one: Customer, cents: int, now: datetime) -> None:
        ours = [m for m in self.moves if m.is_ours and m.account == one.number and m.cents < 0]
        if cents < 0 and ours and self.chance.random() < 0.3:
            cents = ours[-1].cents  # pays at the counter what autopay drew
        super()._theirs(one, cents, now)
        move = self.moves[-1]
        number = f"C{len(self.moves)}" if self.chance.random() < 0.7 else ""
        kind = "payment" if cents < 0 else self.chance.choice(["penalty", "adjustment"])
        move.reference = number
        self._book_line(one.number, cents, now, type=kind, reference=number)
        if self.chance.random() < 0.05:
            self._book_line(one.number, 7_77, now, type="fee", in_balance_due="no")
        if self.chance.random() < 0.08:
            self._toggle_block(one.number)

    def _toggle_block(self, number: str) -> None:
        self.blocked ^= {number}
        is_blocked = number in self.blocked
        value = "yes" if is_blocked else "no"
        self.billing.change(number, {"block_ach": value, "block_card": value})
        self.unwritten_blocks.append((number, is_blocked))

    def _post(self, now: datetime) -> None:
        """Ask cash receipting for what it has not said yes to; whether it has entered it or not."""
        self.now = now
        with self.books.reading() as books:
            is_waiting = books.scalar(sa.select(sa.exists().where(_UNANSWERED)))
        if now >= self.down_until and is_waiting:
            if self.chance.random() < 0.02 and not self.weather.is_calm:
                self.down_until = now + 2 * DAY
            self._live(self._enter)
            self._hear(now)

    def _book(self, key: str, move: Move, now: datetime) -> None:
        if self.chance.random() < 0.2 and abs(move.cents) > 1:
            half = move.cents // 2
            move.parts = (half, move.cents - half)
        (row,) = gateway_rows(self.place / "ledger.db", _RECEIPT.format(key=key))
        receipt = f"R{row['number']:06d}"
        self.unwritten_ours.append(replace(move, key=key))
        for part in move.parts or (move.cents,):
            self._book_line(move.account, part, now, type="payment", reference=receipt)

    def _book_line(self, account: str, cents: int, now: datetime, **more: str) -> None:
        local = now.astimezone(DENVER)
        self.billing.book(
            {
                "account_number": account, "date": local.date().isoformat(),
                "amount": str(Money(cents)), "posted_at": f"{local:%Y-%m-%dT%H:%M:%S}", **more,
            }
        )  # fmt: skip

    def _facts(self, one: Customer) -> dict[str, Any]:
        is_blocked = one.number in self.blocked
        return super()._facts(one) | {"block_ach": is_blocked, "block_card": is_blocked}

    def _export(self, cycle: str, now: datetime) -> None:
        before = set(self.exported)
        super()._export(cycle, now)
        for one in self._of_cycle(cycle):
            self.known_blocks.setdefault(one.number, []).append((now, one.number in self.blocked))
        for move in self.moves:
            if move.is_ours and move.key in self.exported - before:
                self.exported_of[move.account] -= move.cents

    def _is_known_blocked(self, number: str) -> bool:
        said = self.known_blocks.get(number, [])
        newest = max((at for at, _ in said), default=None)
        return any(is_blocked for at, is_blocked in said if at == newest)

    def _write_file(self, now: datetime) -> None:
        moves, self.unwritten = self.unwritten, []
        blocks, self.unwritten_blocks = self.unwritten_blocks, []
        number = self.billing.write_file(now.astimezone(DENVER).replace(tzinfo=None))
        chance = self.chance.random()
        late = timedelta(days=self.chance.randint(1, 3)) if chance < 0.25 else timedelta(0)
        if not self.written:
            late = timedelta(0)  # nobody can miss what was before the first that came
        is_third = len(self.written) == 2  # one is lost in the shortest life, too
        is_lost = (is_third or (chance < 0.08 and self.written)) and not self.weather.is_calm
        comes_at = None if is_lost else now + late
        file = File(number, now, moves, blocks, comes_at, is_doubled=chance > 0.85)
        file.ours, self.unwritten_ours = self.unwritten_ours, []
        self.written.append(file)

    # -- what the office is given -----------------------------------------------------------------

    def _tell(self, now: datetime) -> None:
        """Let the office look where anything has come: again until it has all that there is."""
        self.now = now
        for file in self.written:
            if not file.is_there and file.comes_at is not None and file.comes_at <= now:
                file.is_there = True
                self._deliver(file)
        if self.server is not None and self.chance.random() < 0.03 and not self.weather.is_calm:
            self._set_faults(down=True)
            self._look(now)  # in vain
        if any(file.is_there and not file.is_told for file in self.written):
            self._set_faults(damages=int(self.chance.random() < 0.1))
            self._note_doubts(now)
            while not self._look(now):
                pass
            self._note_told(now)
        self._accept(now)

    def _deliver(self, file: File) -> None:
        if self.way == FOLDER:
            packed = self.billing.packed(file.number, "City of Larkspur") or b""
            names = ["night", "again"] if file.is_doubled else ["night"]
            for name in names:
                (self.inbox / f"{name}-{file.number}.zip").write_bytes(packed)

    def _set_faults(self, **changes: Any) -> None:
        if self.server is not None:
            lost = tuple(file.number for file in self.written if not file.is_there)
            self.server.plan.faults = BillingFaults(
                loses_files=lost, backwards=self.chance.random() < 0.5,
                doubled=self.chance.random() < 0.3, **changes,
            )  # fmt: skip

    def _look(self, now: datetime) -> bool:
        """Tell whether a look at the feed came to its end."""
        self.looks["begun"] += 1
        process = Process(self.weather)
        office = FeedOffice(MortalBooks(self.books, process), Mortal(self.source, process), now)
        try:
            found = look_for_feed(office)
        except Crash:
            return False
        if found.refused:
            self.faults.append(f"{now}: {found.refused}")
        self.looks["stopped" if found.stopped_by else "done"] += 1
        return not found.stopped_by

    def _note_doubts(self, now: datetime) -> None:
        """
        Note payments of ours that come with a receipt whose number has not reached the office.

        In doubt it is the customer who is right: they count a second time, until the next export,
        or until a payment of the same amount is told that has no number: that is taken for ours,
        once cash receipting has answered, and where ours stands in no file that has not come.
        """
        row = posting.c
        with self.books.reading() as books:
            found = books.execute(sa.select(row.entry_key, row.receipt, row.first_asked_at)).all()
        keys = {key for key, receipt, _ in found if receipt is None}
        asked = {key: asked_at for key, receipt, asked_at in found if receipt is not None}
        for file in self.written:
            if file.is_there and not file.is_told:
                self.doubted += [  # of the day on which it was entered, as the feed tells it
                    replace(move, told_at=now, at=move.booked_at or move.at)
                    for move in file.ours
                    if move.cents < 0 and move.key in keys
                ]
                unsure = self._unsure_before(file)
                sure = {key for key, at in asked.items() if at and (not unsure or at >= unsure)}
                for told in (move for move in file.moves if not move.reference):
                    self._take_for_ours(told, sure)

    def _unsure_before(self, arriving: File) -> datetime | None:
        """Until when what we posted may stand in a file that has not come before this one."""
        last = arriving.number
        come = [one for one in self.written if one.is_told or (one.is_there and one.number <= last)]
        after_gaps = (two.written_at for one, two in pairwise(come) if two.number > one.number + 1)
        return max(after_gaps, default=None)

    def _take_for_ours(self, told: Move, sure: set[str]) -> None:
        """End one doubt about a payment that was entered at most some days before."""
        for move in self.doubted:
            entered = move.booked_at or move.at
            if (
                move.key in sure
                and (move.account, move.cents) == (told.account, told.cents)
                and (entered <= told.at <= entered + POSTED_WITHIN)
            ):
                self.doubted.remove(move)
                return

    def _truth(self, one: Customer, now: datetime) -> int:
        twice = (move for move in self.doubted if move.account == one.number)
        return super()._truth(one, now) + sum(
            move.cents for move in twice if one.base is None or self._is_after(move, one, one.base)
        )

    def _note_told(self, now: datetime) -> None:
        for file in self.written:
            if file.is_there and not file.is_told:
                file.is_told = True
                for move in file.moves:
                    move.told_at = move.told_at or now
                for number, is_blocked in file.blocks:
                    said = self.known_blocks.setdefault(number, [])
                    said.append((file.written_at, is_blocked))

    def _accept(self, now: datetime) -> None:
        """Let a person take it that a file never comes, once a later one has."""
        newest = max((file.number for file in self.written if file.is_told), default=0)
        for file in self.written:
            is_lost = file.comes_at is None and not file.is_accepted and file.number < newest
            if is_lost and now - file.written_at > PATIENCE and file.number > self._first():
                accept_gap(FeedOffice(self.books, self.source, now), file.number, "never written")
                file.is_accepted = True

    def _first(self) -> int:
        """The first file that ever came: nobody misses one of before."""
        return min((file.number for file in self.written if file.is_told), default=0)

    # -- what came of it --------------------------------------------------------------------------

    def last_exports(self) -> list[str]:
        """Let both cycles be exported and closed once more, when all is booked and told."""
        let_people_decide(self)
        self._post(self.now + timedelta(minutes=1))
        for cycle in "AB":
            self._export(cycle, self.now + timedelta(minutes=1))
            self._close(cycle)
            self._ask(self.period_ends(cycle))
        return self.faults

    def period_ends(self, cycle: str) -> datetime:
        return max(one.base.closed_at for one in self._of_cycle(cycle) if one.base)

    def four_books(self) -> list[tuple[str, list[int]]]:
        """
        What is kept of each account's money, in cents, where they differ.

        By the gateway, the office's entries, cash receipting, and the lines of all exports. What
        cash receipting refuses for good waits for a person, and is in neither of the latter.
        """
        gateway, receipting = Counter[str](), Counter[str]()
        for row in gateway_rows(self.gateway_file, LEFT):
            gateway[row["account"]] += row["left"]
        for row in gateway_rows(self.place / "ledger.db", _ENTERED):
            receipting[row["account"]] += row["cents"]
        ours = Counter[str]()
        for move in self.heard.values():
            ours[move.account] -= move.cents
        refused = self._refused_reversals()
        found = []
        for one in self.customers:
            number = one.number
            for books in (receipting, self.exported_of):
                books[number] -= refused[number]
            kept = [books[number] for books in (gateway, ours, receipting, self.exported_of)]
            if len(set(kept)) > 1:
                found.append((number, kept))
        return found

    def _refused_reversals(self) -> Counter[str]:
        """
        What went back of a payment whose receipt has too little left, in cents by account.

        What a won dispute brought back has a receipt of its own, of which cash receipting takes no
        part of a reversal of the first one.
        """
        entry = balance_entry.c
        query = (
            sa.select(entry.account_key, posting.c.amount)
            .join(posting, posting.c.entry_key == entry.key)
            .where(posting.c.state == PostingState.REJECTED, posting.c.error.like(_TOO_LITTLE))
        )
        with self.books.reading() as books:
            return sum((Counter({key: cents.cents}) for key, cents in books.execute(query)),
                       Counter[str]())  # fmt: skip


_TOO_LITTLE = "%has no receipt%of that amount"
_UNANSWERED = posting.c.state.in_((PostingState.PENDING, PostingState.SUBMITTED))
_UNDOABLE = """
    SELECT e.draw, e.kind, SUM(e.cents) - COALESCE((SELECT SUM(b.cents) FROM event b
        WHERE b.draw = e.draw AND b.kind = CASE e.kind WHEN 'refunded' THEN 'refund-failed'
            ELSE 'reinstated' END), 0) AS left
    FROM event e WHERE e.kind IN ('charged-back', 'refunded') GROUP BY e.draw, e.kind
    ORDER BY e.draw, e.kind"""
_RECEIPT = "SELECT number FROM receipt WHERE substr(key, instr(key, '/') + 1) = '{key}'"
_ENTERED = """SELECT account, CASE kind WHEN 'receipt' THEN cents ELSE -cents END AS cents
    FROM receipt WHERE kind IN ('receipt', 'reversal')"""
